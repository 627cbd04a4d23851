// Runs a Python program in CPython built for WebAssembly, with folders of this machine in it:
//
//     node run_in_pyodide.mjs PYODIDE PROGRAM NAME=FOLDER…
//
// PYODIDE is the npm package's folder. Each FOLDER is at /NAME; the program is Python text.
import { pathToFileURL } from "node:url";

const [pyodide, program, ...folders] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`));
const python = await loadPyodide();
for (const folder of folders) {
  const [name, root] = folder.split("=", 2);
  python.FS.mkdirTree(`/${name}`);
  python.FS.mount(python.FS.filesystems.NODEFS, { root }, `/${name}`);
}
python.runPython(program);
