/** The few globals that the pickle of a state dict needs, and what they make. None is ever looked up or called. */
import type { M2fpError } from '../errors.ts';
import { checkedLayout, type DType } from './tensors.ts';
import {
  GlobalReference,
  OpaqueValue,
  PickledDict,
  StorageReference,
  TensorReference,
  type PickledValue,
} from './values.ts';

/** The storage classes and the type of their elements. */
export const STORAGE_TYPES: ReadonlyMap<string, DType> = new Map([
  ['torch.FloatStorage', 'float32'],
  ['torch.HalfStorage', 'float16'],
  ['torch.BFloat16Storage', 'bfloat16'],
  ['torch.DoubleStorage', 'float64'],
  ['torch.LongStorage', 'int64'],
  ['torch.IntStorage', 'int32'],
  ['torch.ShortStorage', 'int16'],
  ['torch.CharStorage', 'int8'],
  ['torch.ByteStorage', 'uint8'],
  ['torch.BoolStorage', 'bool'],
]);

/** `refuse` makes the error for what a state dict never does. */
type PickledFunction = (args: PickledValue[], refuse: (action: string) => M2fpError) => PickledValue;

/** The tensor that `_rebuild_parameter` and its kin wrap; what its place holds where that is none that is read. */
const wrapped: PickledFunction = ([tensor], refuse) => {
  if (tensor instanceof TensorReference || tensor instanceof OpaqueValue) return tensor;
  throw refuse('makes a parameter without a tensor');
};

const tensor: PickledFunction = (args, refuse) => {
  const [storage, offset, shape, strides] = args;
  // Of a class that is not read, and what is lazily conjugated or negated.
  if (storage instanceof OpaqueValue) return storage;
  if (args.length > 6) return new OpaqueValue('a tensor with metadata (conjugate or negative bit)');
  if (!(storage instanceof StorageReference)) throw refuse('makes a tensor without a storage');
  const layout = checkedLayout(storage, offset, shape, strides, (reason) =>
    refuse(`makes a tensor that ${reason}`),
  );
  return new TensorReference(storage, layout);
};

/**
 * What the functions that are known make of their arguments: `torch._utils._rebuild_tensor_v2` gets (storage, offset,
 * size, stride, requires_grad, hooks[, metadata]), `_rebuild_parameter` (tensor, requires_grad, hooks), with state one
 * more, `_rebuild_from_type_v2` (function, type, arguments, state). All others make an {@link OpaqueValue}.
 */
export const FUNCTIONS: ReadonlyMap<string, PickledFunction> = new Map<string, PickledFunction>([
  [
    'collections.OrderedDict',
    ([items]) => {
      const dict = new PickledDict();
      // Python 2 gave the entries as a list of pairs.
      if (Array.isArray(items)) for (const item of items) addPair(dict, item);
      return dict;
    },
  ],
  ['collections.defaultdict', () => new PickledDict()],
  ['torch._utils._rebuild_tensor_v2', tensor],
  ['torch._utils._rebuild_parameter', wrapped],
  ['torch._utils._rebuild_parameter_with_state', wrapped],
  [
    'torch._tensor._rebuild_from_type_v2',
    ([callable, , args], refuse) => {
      const name = callable instanceof GlobalReference ? callable.name : '';
      const call = name === 'torch._utils._rebuild_tensor_v2' ? tensor : FUNCTIONS.get(name);
      if (call === undefined || !Array.isArray(args)) return new OpaqueValue(name);
      return call(args, refuse);
    },
  ],
]);

function addPair(dict: PickledDict, item: PickledValue): void {
  if (!Array.isArray(item) || item.length !== 2) return;
  const [key, value] = item;
  if (typeof key === 'string') dict.set(key, value!);
}
