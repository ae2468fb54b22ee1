import { refusedCode } from '../errors.ts';

/**
 * Which names a checkpoint may contain. Nothing is ever imported or called, whatever the name: this
 * decides between "inert data" and "this file was made to run code, say so".
 *
 * - Python's own modules are refused unless the name is a plain value class listed here: they are where
 *   `os.system`, `builtins.eval`, `runpy`, `pickle` and their many relatives live.
 * - So are dotted names (`torch` + `serialization.os.system`), packages that run or install things, and
 *   functions of torch and numpy other than those that checkpoints use.
 * - Classes of other packages (`yacs.config.CfgNode`, `mmcv.utils.Config`, …) are data; functions of other
 *   packages may be named but not called.
 */
export function checkName(spot: { readonly where: string }, module: string, name: string): void {
  const path = `${module}.${name}`;
  if (!MODULE.test(module) || !IDENTIFIER.test(name) || !isPermitted(module, name)) {
    throw refusedCode(spot.where, path);
  }
}

/** Whether a permitted name may be called. Functions of unknown packages may not. */
export function isCallable(module: string, name: string): boolean {
  return isListed(module, name) || isClassName(name) || isRebuild(module, name);
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const MODULE = /^[A-Za-z_][A-Za-z0-9_]{0,127}(\.[A-Za-z_][A-Za-z0-9_]{0,127}){0,15}$/;

function isPermitted(module: string, name: string): boolean {
  if (isListed(module, name)) return true;
  const top = module.split('.', 1)[0]!;
  if (top === '__main__') return true;
  if (top.startsWith('_') || PYTHON_MODULES.has(top) || RISKY_PACKAGES.has(top)) return false;
  if (top === 'torch') return isPermittedInTorch(module, name);
  if (top === 'numpy') return isClassName(name) && !/\b(testing|f2py|distutils|ctypeslib)\b/.test(module);
  return true;
}

function isPermittedInTorch(module: string, name: string): boolean {
  if (isRebuild(module, name)) return true;
  if (module === 'torch') return isClassName(name) || TORCH_CONSTANT.test(name);
  return (
    isClassName(name) && /^torch\.(nn|optim|storage|cuda|utils\.data|_tensor|distributed)\b/.test(module)
  );
}

/** The functions that tensors are pickled with; those that are not known give inert data. */
function isRebuild(module: string, name: string): boolean {
  return module === 'torch._utils' && name.startsWith('_rebuild_');
}

/** `CamelCase`, as Python names classes. */
function isClassName(name: string): boolean {
  return /^_*[A-Z]/.test(name);
}

function isListed(module: string, name: string): boolean {
  return LISTED.get(module)?.has(name) ?? false;
}

/** Element types, layouts and memory formats. */
const TORCH_CONSTANT =
  /^(float|double|half|bfloat|complex|int|uint|bool|qint|quint|bits|sparse_|strided$|channels_last|contiguous_format$|preserve_format$|short$|long$)\w*$/;

const words = (text: string): string[] => text.trim().split(/\s+/);

const BUILTIN_VALUES = new Set(
  words(
    'set frozenset list dict tuple int long float complex bool str unicode bytes bytearray object slice range xrange',
  ),
);
const NUMPY_ARRAY = new Set(words('scalar _reconstruct'));

/** Value classes, and the few functions with which pickles spell values. All of them give inert data. */
const LISTED: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['builtins', BUILTIN_VALUES],
  ['__builtin__', BUILTIN_VALUES],
  [
    'collections',
    new Set(words('OrderedDict defaultdict deque Counter ChainMap UserDict UserList UserString')),
  ],
  ['copyreg', new Set(words('_reconstructor __newobj__ __newobj_ex__'))],
  ['copy_reg', new Set(words('_reconstructor __newobj__ __newobj_ex__'))],
  ['_codecs', new Set(['encode'])],
  ['argparse', new Set(['Namespace'])],
  ['types', new Set(['SimpleNamespace'])],
  ['datetime', new Set(words('datetime date time timedelta timezone'))],
  ['decimal', new Set(['Decimal'])],
  ['fractions', new Set(['Fraction'])],
  ['uuid', new Set(words('UUID SafeUUID'))],
  ['enum', new Set(words('Enum IntEnum Flag IntFlag'))],
  ['typing', new Set(words('Any Dict List Tuple Optional Union Set'))],
  ...['pathlib', 'pathlib._local'].map(
    (module) =>
      [module, new Set(words('Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath'))] as const,
  ),
  ['torch', new Set(words('Size device dtype'))],
  ['torch._tensor', new Set(['_rebuild_from_type_v2'])],
  ['torch.serialization', new Set(['_get_layout'])],
  [
    'numpy',
    new Set(
      words(
        'dtype ndarray float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool_ str_ bytes_ complex64 complex128',
      ),
    ),
  ],
  ['numpy.core.multiarray', NUMPY_ARRAY],
  ['numpy._core.multiarray', NUMPY_ARRAY],
  ['numpy.random._pickle', new Set(words('__randomstate_ctor __generator_ctor __bit_generator_ctor'))],
]);

/** Modules that come with Python 2 and 3; those that begin with an underscore are refused by rule. */
const PYTHON_MODULES: ReadonlySet<string> = new Set(
  words(`
  abc aifc annotationlib antigravity anydbm argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb
  binascii binhex bisect builtins bz2 cPickle cProfile cStringIO calendar cgi cgitb chunk cmath cmd code codecs codeop
  collections colorsys commands compileall compression concurrent configparser contextlib contextvars cookielib copy
  copy_reg copyreg crypt csv ctypes curses dataclasses datetime dbhash dbm decimal difflib dircache dis distutils
  doctest dummy_thread dumbdbm email encodings ensurepip enum errno exceptions faulthandler fcntl filecmp fileinput
  fnmatch formatter fractions ftplib functools future_builtins gc gdbm genericpath getopt getpass gettext glob graphlib
  grp gzip hashlib heapq hmac hotshot html htmlentitydefs htmllib http httplib idlelib ihooks imaplib imghdr imp
  importlib imputil inspect io ipaddress itertools json keyword lib2to3 linecache locale logging lzma macpath mailbox
  mailcap marshal math md5 mhlib mimetools mimetypes mimify mmap modulefinder msilib msvcrt multifile multiprocessing
  mutex netrc new nis nntplib nt ntpath nturl2path numbers opcode operator optparse os os2emxpath ossaudiodev parser
  pathlib pdb pickle pickletools pipes pkgutil platform plistlib popen2 poplib posix posixfile posixpath pprint profile
  pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline repr reprlib resource
  rexec rfc822 rlcompleter robotparser runpy sched secrets select selectors sets sgmllib sha shelve shlex shutil signal
  site sitecustomize smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre sre_compile sre_constants sre_parse ssl
  stat statistics statvfs string stringprep strop struct subprocess sunau symbol symtable sys sysconfig syslog tabnanny
  tarfile telnetlib tempfile termios test textwrap this thread threading time timeit tkinter token tokenize tomllib
  toaiff trace traceback tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib urllib2 urlparse
  user usercustomize uu uuid venv warnings wave weakref webbrowser whichdb winreg winsound wsgiref xdrlib xml xmlrpc
  xmlrpclib zipapp zipfile zipimport zlib zoneinfo
  BaseHTTPServer Bastion CGIHTTPServer ConfigParser Cookie DocXMLRPCServer HTMLParser MimeWriter Queue
  SimpleHTTPServer SimpleXMLRPCServer SocketServer StringIO Tkinter UserDict UserList UserString
`),
);

/** Packages whose classes run, build, install or unpickle something. */
const RISKY_PACKAGES: ReadonlySet<string> = new Set(
  words(`
  IPython cffi cloudpickle dill distutils fabric invoke joblib jsonpickle paramiko pexpect pip pkg_resources plumbum
  psutil ptyprocess py pytest pywin32 setuptools sh win32api win32com
`),
);
