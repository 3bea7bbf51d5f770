// Type-checks any number of files as one program, against the types of the packages in NODE_PATH.
'use strict';

const path = require('node:path');

const packages = new Map(); // parsed files of packages, TypeScript's own library above all: they never change

/**
 * request: {files: [absolute paths], options: {compiler options as in tsconfig.json}}
 * answer:  [{file, line, column, code, message}], empty when all is well; line and column count from 1
 */
function check({ files, options }) {
  const ts = require('typescript');
  const modules = process.env.NODE_PATH;
  const converted = ts.convertCompilerOptionsFromJson(
    {
      strict: true,
      noEmit: true,
      target: 'ES2022',
      module: 'ESNext',
      moduleResolution: 'Bundler',
      esModuleInterop: true,
      skipLibCheck: true,
      allowJs: true,
      checkJs: false,
      types: ['node'],
      typeRoots: [path.join(modules, '@types')],
      ...options,
    },
    '.',
  );
  if (converted.errors.length) throw new Error(converted.errors.map(({ messageText }) => messageText).join('\n'));
  const host = ts.createCompilerHost(converted.options);
  // Migrations stand in temporary folders: what is not found from there is looked for from the project.
  host.resolveModuleNameLiterals = (literals, containing, redirected, compilerOptions) =>
    literals.map(({ text }) => {
      const found = ts.resolveModuleName(text, containing, compilerOptions, host);
      if (found.resolvedModule || text.startsWith('.')) return found;
      return ts.resolveModuleName(text, path.join(path.dirname(modules), 'index.ts'), compilerOptions, host);
    });
  const read = host.getSourceFile;
  host.getSourceFile = (file, ...rest) => {
    if (!file.includes('/node_modules/')) return read(file, ...rest);
    if (!packages.has(file)) packages.set(file, read(file, ...rest));
    return packages.get(file);
  };
  const program = ts.createProgram({ rootNames: files, options: converted.options, host });
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const at = diagnostic.file?.getLineAndCharacterOfPosition(diagnostic.start) ?? { line: 0, character: 0 };
    return {
      file: diagnostic.file?.fileName ?? '',
      line: at.line + 1,
      column: at.character + 1,
      code: diagnostic.code,
      message: ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'),
    };
  });
}

module.exports = { check };
