/**
 * Names of globals that only a pickle asks for that means harm: they run programs or code, load further pickles, reach
 * the network or other files. Nothing that a pickle names is ever looked up or called here, so this list is no
 * protection: it is for telling whoever got such a file.
 */

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** Modules of which no checkpoint names anything. */
const MODULES = words(
  'os posix nt sys subprocess pty shutil runpy importlib imp pkgutil zipimport pickle _pickle cPickle dill ' +
    'cloudpickle joblib shelve marshal operator _operator code codeop gc ctypes _ctypes socket ' +
    '_socket ssl webbrowser http urllib urllib2 requests httpx aiohttp ftplib smtplib telnetlib xmlrpc asyncio ' +
    'multiprocessing _thread threading signal platform commands popen2 tempfile bdb pdb timeit trace profile ' +
    'cProfile doctest unittest pydoc venv ensurepip pip setuptools distutils idlelib lib2to3 tkinter io _io ' +
    'fileinput linecache _posixsubprocess posixsubprocess site',
);

/** Those that are such a sign anywhere in a name: `torch.serialization.os.system`. */
const ANYWHERE = new Set([
  'os',
  'posix',
  'nt',
  'sys',
  'subprocess',
  '_os',
  '_sys',
  '_posixsubprocess',
  'builtins',
  '__builtin__',
  '__builtins__',
]);

/** Of those modules, what trainers do keep: they hold bytes or pick an entry. */
const HARMLESS = words(
  'operator.itemgetter _operator.itemgetter io.BytesIO _io.BytesIO io.StringIO _io.StringIO',
);

/** Of Python's built-in functions, those that run or reach something; its types are plain data. */
const BUILTINS = words(
  'eval exec execfile compile __import__ getattr setattr delattr open file input raw_input breakpoint globals ' +
    'locals vars dir apply map filter reload help memoryview super classmethod staticmethod property ' +
    '__build_class__ exit quit',
);

const BUILTIN_MODULES = new Set(['builtins', '__builtin__', '__builtins__']);

/** Of libraries that checkpoints do name, what runs code or loads further files. */
const FUNCTIONS = [
  /^torch\.(load|save|hub|jit|package|ops|classes|compile)(\.|$)/,
  /^torch\.(storage\._load_from_bytes|serialization\.|utils\.(cpp_extension|model_zoo|data\.datapipes)|_inductor|_dynamo)/,
  /^numpy\.(.+\.)?(load|loadtxt|fromfile|save|f2py|testing|distutils|ctypeslib|memmap|DataSource)(\.|$)/,
  /^functools\.(reduce|partialmethod)$/,
  /^types\.(?!SimpleNamespace$|MappingProxyType$|NoneType$)/,
  /^torch\.fx\.experimental(\.|$)/,
  /^uuid\._/,
  /^logging\.config(\.|$)/,
  /^_?codecs\.(?!encode$)/,
];

/** What runs programs, by the name that it has where a script imported it: `__main__.system`. */
const RUNS = /^(system|popen|Popen|spawn\w*|exec[lv]\w*|fork\w*|check_output|check_call|getoutput)$/;

/** True for the full name of a global that no checkpoint of a model ever has. */
export function isAttack(name: string): boolean {
  if (HARMLESS.has(name)) return false;
  const [root = '', ...rest] = name.split('.');
  if (BUILTIN_MODULES.has(root)) return BUILTINS.has(rest[0] ?? '');
  if (root === '__main__' && [BUILTINS, MODULES].some((names) => names.has(rest[0] ?? ''))) return true;
  if (root === '__main__' && RUNS.test(rest[0] ?? '')) return true;
  return (
    MODULES.has(root) ||
    rest.some((segment) => ANYWHERE.has(segment)) ||
    FUNCTIONS.some((pattern) => pattern.test(name))
  );
}
