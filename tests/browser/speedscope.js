// What speedscope's importer makes of a file, as one JSON object on stdout. Its own file format, which it saves
// on request, is how it tells.
// usage: node speedscope.js FILE   (paths of the pieces come in the environment, see run.py)
'use strict';
const fs = require('fs');
const path = require('path');
const {HOST, withPage} = require('./browser.js');

function summary(saved) {
  const result = {slices: 0, nesting: 0, profiles: []};
  for (const profile of saved.profiles) {
    let depth = 0, slices = 0, nesting = 0;
    for (const event of profile.events) {
      depth += event.type === 'O' ? 1 : -1;
      slices += event.type === 'O' ? 1 : 0;
      nesting = Math.max(nesting, depth);
    }
    result.slices += slices;
    result.nesting = Math.max(result.nesting, nesting);
    result.profiles.push(profile.name);
  }
  return result;
}

const folder = path.join(process.env.VIEWER_MODULES, 'speedscope/dist/release');
withPage({
  modules: process.env.VIEWER_MODULES, chromium: process.env.VIEWER_CHROMIUM, folder,
  files: {'': path.join(folder, 'index.html')},
}, async (page, errors) => {
  await page.goto(HOST + 'index.html', {timeout: 30000});
  await page.setInputFiles('input[type=file]', process.argv[2], {timeout: 30000});
  // The toolbar's export appears with the profile; a refused file leaves an alert.
  await page.waitForFunction(() => !/Loading|Hi there/.test(document.body.innerText), null, {timeout: 90000});
  const download = page.waitForEvent('download', {timeout: 150000});
  await page.keyboard.press('Control+s');
  const saved = JSON.parse(fs.readFileSync(await (await download).path(), 'utf8'));
  console.log(JSON.stringify({...summary(saved), errors}));
}).catch(error => {
  console.error(String(error).split('\n')[0]);
  process.exit(1);
});
