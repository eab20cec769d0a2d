/** The few globals that the pickle of a state dict may name, and what they make. No other is ever looked up. */
import type { M2fpError } from '../errors.ts';
import { checkedLayout, type DType } from './tensors.ts';
import { PickledDict, StorageReference, TensorReference, type PickledValue } from './values.ts';

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

/**
 * What the allowed functions make of their arguments. `torch._utils._rebuild_tensor_v2` gets (storage,
 * offset, size, stride, requires_grad, hooks[, metadata]), `_rebuild_parameter` (tensor, requires_grad, hooks).
 */
export const FUNCTIONS: ReadonlyMap<string, PickledFunction> = new Map<string, PickledFunction>([
  [
    'collections.OrderedDict',
    (args, refuse) => {
      if (args.length > 0) throw refuse('makes an OrderedDict with arguments');
      return new PickledDict();
    },
  ],
  [
    'torch._utils._rebuild_tensor_v2',
    (args, refuse) => {
      const [storage, offset, shape, strides] = args;
      if (!(storage instanceof StorageReference)) throw refuse('makes a tensor without a storage');
      if (args.length > 6) throw refuse('makes a tensor with metadata (conjugate or negative bit)');
      const layout = checkedLayout(storage, offset, shape, strides, (reason) =>
        refuse(`makes a tensor that ${reason}`),
      );
      return new TensorReference(storage, layout);
    },
  ],
  [
    'torch._utils._rebuild_parameter',
    ([tensor], refuse) => {
      if (!(tensor instanceof TensorReference)) throw refuse('makes a parameter without a tensor');
      return tensor;
    },
  ],
]);

/**
 * What pickled NumPy scalars and arrays name (under NumPy 1 and 2), and the bytes in them under protocol 2.
 * Trainers save such values beside the state dict: learning rates, best scores, random states.
 */
export const OPAQUE_FUNCTIONS: ReadonlySet<string> = new Set([
  'numpy.core.multiarray.scalar',
  'numpy._core.multiarray.scalar',
  'numpy.core.multiarray._reconstruct',
  'numpy._core.multiarray._reconstruct',
  'numpy.dtype',
  '_codecs.encode',
  '__builtin__.bytes',
]);

/** The class that `_reconstruct` is told to make: an argument, never called. */
export const OPAQUE_CLASS = 'numpy.ndarray';
