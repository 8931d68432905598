// What catapult's importer (chrome://tracing) makes of a file, as one JSON object on stdout.
// usage: node catapult.js FILE   (paths of the pieces come in the environment, see run.py)
'use strict';
const {HOST, withPage} = require('./browser.js');

const PAGE = `<!doctype html><meta charset="utf-8"><script src="webcomponents.min.js"></script>
<link rel="import" href="trace_viewer_full.html">`;

// Runs inside the page.
async function importTrace() {
  const text = await (await fetch('trace.json')).text();
  const model = new tr.Model();
  const options = new tr.importer.ImportOptions();
  options.pruneEmptyContainers = false;
  options.showImportWarnings = false;
  const warnings = [];
  model.importWarning = warning => warnings.push(String(warning.message));
  await new tr.importer.Import(model, options).importTraces([text]);
  const depth = slice => 1 + slice.subSlices.reduce((deepest, child) => Math.max(deepest, depth(child)), 0);
  const result = {slices: 0, nesting: 0, processes: {}, threads: {}, counters: {}, warnings};
  for (const process of Object.values(model.processes)) {
    result.processes[process.pid] = process.name;
    for (const counter of Object.values(process.counters))
      result.counters[counter.name] = counter.series[0].samples.length;
    for (const thread of Object.values(process.threads)) {
      result.threads[process.pid + ':' + thread.tid] = thread.name;
      // Instants are slices of their own class without a duration.
      const group = thread.sliceGroup;
      result.slices += group.slices.length;
      for (const slice of group.topLevelSlices) result.nesting = Math.max(result.nesting, depth(slice));
    }
  }
  return result;
}

withPage({
  modules: process.env.VIEWER_MODULES, chromium: process.env.VIEWER_CHROMIUM, folder: process.env.VIEWER_CATAPULT,
  files: {'': {text: PAGE}, 'trace.json': process.argv[2]},
}, async (page, errors) => {
  await page.goto(HOST, {timeout: 30000});
  await page.waitForFunction(() => window.tr && tr.importer && tr.importer.Import && tr.Model, null, {timeout: 60000});
  const result = await page.evaluate(importTrace);
  console.log(JSON.stringify({...result, errors}));
}).catch(error => {
  console.error(String(error).split('\n')[0]);
  process.exit(1);
});
