// A headless Chromium that sees one made-up host, served from files on this disk, and no network.
'use strict';
const fs = require('fs');
const path = require('path');

const HOST = 'http://viewer.test/';
const TYPES = {'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json',
               '.wasm': 'application/wasm'};

// `files`: a path on the host → a file, or {text}. Runs `use(page)` and returns its result.
async function withPage({modules, chromium, files, folder}, use) {
  const {chromium: driver} = require(path.join(modules, 'playwright-core'));
  const browser = await driver.launch({
    executablePath: chromium, headless: true, timeout: 60000,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
           '--disable-component-update', '--disable-sync'],
  });
  try {
    const page = await browser.newPage({acceptDownloads: true});
    const errors = [];
    page.on('pageerror', error => errors.push(String(error)));
    page.on('dialog', dialog => { errors.push(dialog.message()); dialog.dismiss().catch(() => {}); });
    await page.route('**/*', route => {
      const name = new URL(route.request().url()).pathname.slice(1);
      const known = files && files[name];
      const file = known && known.text === undefined ? known : folder && path.join(folder, path.basename(name));
      if (!route.request().url().startsWith(HOST)) return route.abort();
      if (known && known.text !== undefined) return route.fulfill({contentType: 'text/html', body: known.text});
      if (!file || !fs.existsSync(file)) return route.fulfill({status: 404, body: ''});
      return route.fulfill({contentType: TYPES[path.extname(file)] || 'application/octet-stream',
                            body: fs.readFileSync(file)});
    });
    return await use(page, errors);
  } finally {
    await browser.close();
  }
}

module.exports = {HOST, withPage};
