/**
 * A graph in which some parts' activations matter: those that int8 arithmetic rounds. Where they lie and what they are
 * called is decided here, once for the float graph in which they are observed (`observing-builder.ts`) and for the int8
 * graph in which they are rounded (`int8-builder.ts`).
 */
import { GraphBuilder, type Replace, type Value } from './graph.ts';
import type { ConvOptions, GemmOptions } from './types.ts';
import type { Weight } from './weight.ts';

/** All axes but the channels' of a map [1, channels, height, width], of [n, channels] and of [channels, n]. */
const OF_MAP = [0, 2, 3];
const OF_ROWS = [0];
const OF_COLUMNS = [1];

export abstract class ActivationBuilder extends GraphBuilder {
  readonly #parts: ReadonlySet<string>;
  /** The rounded form of values, by the name of the value and by its own. */
  readonly #rounded = new Map<string, Value>();

  /** @param parts the names of the parts whose activations matter, see {@link GraphBuilder.part} */
  constructor(parts: Iterable<string>, replace?: Replace) {
    super(replace);
    this.#parts = new Set(parts);
  }

  /**
   * The activation as int8 operators see it.
   * @param name of the activation; several values may share one, and its range
   * @param axes all but that of its channels
   */
  protected abstract round(x: Value, name: string, axes: readonly number[]): Value;

  /** What `maxPool` makes of a rounded value; it has the values of that one and no others. */
  protected pooled(_from: Value, to: Value): Value {
    return to;
  }

  override conv(x: Value, options: ConvOptions): Value {
    if (!this.#isChosen()) return super.conv(x, options);
    return this.#round(this.convOfRounded(this.#round(x), options));
  }

  override gemm(a: Value, b: Value, c: Value | undefined, options: GemmOptions = {}): Value {
    if (!this.#isChosen()) return super.gemm(a, b, c, options);
    // A weight may see many values, such as pieces of one level's tokens: they all have the same range.
    const x = this.#round(a, options.transA ? OF_COLUMNS : OF_ROWS, `${b.name}.input`);
    if (!options.relu) return this.gemmOfRounded(x, b, c, options);
    const output = `${b.name}.output`;
    return this.#round(this.gemmReluOfRounded(x, b, c, options, output), OF_ROWS, output);
  }

  override linearTransposed(x: Value, weight: Value, bias?: Weight): Value {
    if (!this.#isChosen()) return super.linearTransposed(x, weight, bias);
    return this.linearTransposedOfRounded(this.#round(x, OF_ROWS, `${weight.name}.input`), weight, bias);
  }

  override residual(delta: Value, shortcut: Value): Value {
    if (!this.#isChosen()) return super.residual(delta, shortcut);
    return this.#round(this.residualOfRounded(this.#round(delta), this.#round(shortcut)));
  }

  override maxPool(x: Value, kernel: number, stride: number, padding: number): Value {
    const y = super.maxPool(x, kernel, stride, padding);
    if (this.#rounded.get(x.name) === undefined) return y;
    const result = this.pooled(x, y);
    this.#rounded.set(result.name, result);
    return result;
  }

  // The operators themselves, in float.

  protected convOfRounded(x: Value, options: ConvOptions): Value {
    return super.conv(x, options);
  }

  protected gemmOfRounded(a: Value, b: Value, c: Value | undefined, options: GemmOptions): Value {
    return super.gemm(a, b, c, options);
  }

  /** @param _output the name of the activation that the result is rounded to */
  protected gemmReluOfRounded(
    a: Value,
    b: Value,
    c: Value | undefined,
    options: GemmOptions,
    _output: string,
  ): Value {
    return this.gemmOfRounded(a, b, c, options);
  }

  protected linearTransposedOfRounded(x: Value, weight: Value, bias: Weight | undefined): Value {
    return super.linearTransposed(x, weight, bias);
  }

  protected residualOfRounded(delta: Value, shortcut: Value): Value {
    return super.residual(delta, shortcut);
  }

  #isChosen(): boolean {
    return this.currentPart !== null && this.isChosen(this.currentPart);
  }

  protected isChosen(part: string): boolean {
    return this.#parts.has(part);
  }

  #round(x: Value, axes = OF_MAP, name?: string): Value {
    const known = this.#rounded.get(x.name);
    if (known !== undefined) return known;
    const rounded = this.round(x, name ?? this.unique('activation'), axes);
    this.#rounded.set(x.name, rounded);
    this.#rounded.set(rounded.name, rounded);
    return rounded;
  }
}
