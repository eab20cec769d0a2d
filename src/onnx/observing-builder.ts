/**
 * The float graph with further outputs that tell of its activations: their least and largest value, the means of their
 * channels, and a sample of their values. All but the sample are a handful of numbers, so that a run takes hardly more
 * memory than without.
 */
import { ActivationBuilder } from './activation-builder.ts';
import type { Graph, Value } from './graph.ts';

/** Every so many-th value is in the sample: a prime, so that all rows, columns and channels have their share. */
const SAMPLE_STEP = 31;
/** ONNX's "to the end". */
const END = 2 ** 31 - 1;

/** Names of the outputs that tell of one value. */
export interface Observation {
  /** The activation's name; several observations may have the same. */
  activation: string;
  min: string;
  max: string;
  means: string;
  sample: string;
}

interface Observed {
  value: Value;
  activation: string;
  axes: readonly number[];
}

export class ObservingBuilder extends ActivationBuilder {
  readonly #observed: Observed[] = [];
  readonly #observations: Observation[] = [];

  /** Of the finished graph. */
  get observations(): readonly Observation[] {
    return this.#observations;
  }

  protected override round(value: Value, activation: string, axes: readonly number[]): Value {
    this.#observed.push({ value, activation, axes });
    return value;
  }

  override finish(): Graph {
    // onnxruntime works from the last output to the first: in this order, each activation is observed, and its memory
    // free again, before the next part of the network is computed.
    for (const observed of this.#observed.toReversed()) this.#observe(observed);
    return super.finish();
  }

  #observe({ value, activation, axes }: Observed): void {
    const name = this.unique('observed').slice(1);
    const told = (kind: string, result: Value, dims: readonly string[] = []) => {
      this.output(`${name}.${kind}`, result, dims);
      return `${name}.${kind}`;
    };
    const extreme = (kind: 'ReduceMin' | 'ReduceMax') => this.operator(kind, [value], { keepdims: 0 });
    const means = this.operator('ReduceMean', [value, this.integers(axes)], { keepdims: 0 });
    const sample = this.operator('Slice', [
      this.reshape(value, [-1]),
      ...[0, END, 0, SAMPLE_STEP].map((bound) => this.integers([bound])),
    ]);
    this.#observations.push({
      activation,
      min: told('min', extreme('ReduceMin')),
      max: told('max', extreme('ReduceMax')),
      means: told('means', means, ['channels']),
      sample: told('sample', sample, ['count']),
    });
  }
}
