// Says how Prettier would write files.
'use strict';

const fs = require('node:fs');

/**
 * request: {files: [absolute paths], options: {of Prettier}}; no configuration file is looked for
 * answer:  {path: text as Prettier formats it}, only for the files that it would change
 */
async function check({ files, options }) {
  const prettier = require('prettier');
  const changed = {};
  for (const file of files) {
    const text = fs.readFileSync(file, 'utf8');
    const formatted = await prettier.format(text, { ...options, filepath: file });
    if (formatted !== text) changed[file] = formatted;
  }
  return changed;
}

module.exports = { check };
