import { describe, expect, it } from 'vitest';
import { checkName, isCallable } from './policy.ts';

const spot = { where: 'x.pth' };
const permitted = (path: string): boolean => {
  const [module, name] = path.split(' ') as [string, string];
  try {
    checkName(spot, module, name);
    return true;
  } catch {
    return false;
  }
};

describe('names in a checkpoint', () => {
  it.each([
    'torch._utils _rebuild_tensor_v2',
    'torch FloatStorage',
    'torch.cuda HalfStorage',
    'torch.storage UntypedStorage',
    'torch.nn.parameter Parameter',
    'torch.nn.modules.conv Conv2d',
    'torch Size',
    'torch device',
    'torch float16',
    'torch float8_e4m3fn',
    'collections OrderedDict',
    '__builtin__ set',
    'builtins frozenset',
    '_codecs encode',
    'numpy dtype',
    'numpy._core.multiarray scalar',
    'numpy.core.multiarray _reconstruct',
    'yacs.config CfgNode',
    'mmcv.utils.config ConfigDict',
    'argparse Namespace',
    'datetime datetime',
    'pathlib PosixPath',
    '__main__ Config',
    'omegaconf.dictconfig DictConfig',
    'timm.scheduler.cosine_lr CosineLRScheduler',
  ])('may be %s', (path) => {
    expect(permitted(path)).toBe(true);
  });

  it.each([
    'os system',
    'posix system',
    'nt system',
    'os.path join',
    'subprocess Popen',
    'builtins eval',
    'builtins exec',
    'builtins getattr',
    'builtins __import__',
    'builtins open',
    'builtins compile',
    'builtins breakpoint',
    'builtins map',
    'builtins type',
    '__builtin__ eval',
    '__builtin__ execfile',
    '__builtins__ eval',
    'runpy run_path',
    'pickle loads',
    'cPickle loads',
    '_pickle loads',
    'marshal loads',
    'importlib import_module',
    'functools partial',
    'operator attrgetter',
    'operator methodcaller',
    'types FunctionType',
    'types CodeType',
    'collections namedtuple',
    'collections.abc Mapping',
    'ctypes CDLL',
    'socket socket',
    'webbrowser open',
    'pty spawn',
    'shutil rmtree',
    'commands getoutput',
    'timeit timeit',
    'code InteractiveInterpreter',
    '_io FileIO',
    '_posixsubprocess fork_exec',
    'asyncio create_subprocess_shell',
    'multiprocessing.util spawnv_passfds',
    'logging.config listen',
    'sys exit',
    'pip main',
    'cloudpickle _make_function',
    'dill _dill',
    'joblib load',
    'setuptools setup',
    'torch load',
    'torch.hub load',
    'torch.jit ScriptModule',
    'torch.package PackageImporter',
    'torch.serialization load',
    'torch.serialization os.system',
    'torch serialization.os.system',
    'torch._utils _import_dotted_name',
    'torch.storage _load_from_bytes',
    'torch.fx.graph_module reduce_graph_module',
    'torch.utils.collect_env run',
    'numpy load',
    'numpy.testing._private.utils runstring',
    'numpy.f2py.crackfortran myeval',
    'yacs.config CfgNode.__init__',
    'yacs.config __class__.mro',
  ])('may not be %s', (path) => {
    expect(permitted(path)).toBe(false);
  });

  it.each([
    ['', 'system'],
    ['os ', 'system'],
    ['os\0', 'system'],
    ['.os', 'system'],
    ['os.', 'system'],
    ['yacs..config', 'CfgNode'],
    ['ｏｓ', 'system'],
    ['yacs.config', ''],
    ['yacs.config', 'Cfg Node'],
    ['yacs.config', 'Cfg\nNode'],
    ['a'.repeat(200), 'B'],
    ['a.'.repeat(50).slice(0, -1), 'B'],
  ])('must be spelt as names are: %j %j', (module, name) => {
    expect(() => checkName(spot, module, name)).toThrow('is program code, not data; nothing of it was run');
  });

  it('may be called when they make values; functions of other packages may only be named', () => {
    expect(isCallable('collections', 'OrderedDict')).toBe(true);
    expect(isCallable('mmcv.utils.config', 'ConfigDict')).toBe(true);
    expect(isCallable('torch._utils', '_rebuild_tensor_v2')).toBe(true);
    expect(isCallable('evil.mod', 'make')).toBe(false);
    expect(isCallable('__main__', 'run')).toBe(false);
  });
});
