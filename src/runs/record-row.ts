/** A value of a record: JSON that is as short as it can be. */
export type Cell = string | number | null | readonly Cell[] | { readonly [name: string]: string };

/** A row without the empty cells at its end. */
export function row(...cells: readonly (Cell | undefined)[]): readonly Cell[] {
  let length = cells.length;
  while (length > 0 && (cells[length - 1] === undefined || cells[length - 1] === null)) length--;
  const trimmed: Cell[] = [];
  for (let index = 0; index < length; index++) trimmed.push(cells[index] ?? null);
  return trimmed;
}

/** Reads a row cell by cell; throws on whatever `row` would not have written there. */
export class RowReader {
  readonly #cells: readonly unknown[];

  constructor(value: unknown) {
    if (!Array.isArray(value)) throw new Error(`a corrupt record: ${JSON.stringify(value)?.slice(0, 100)} is not a row`);
    this.#cells = value;
  }

  number(index: number): number {
    const value = this.#cells[index];
    if (typeof value !== "number") throw this.#corrupt(index, "a number");
    return value;
  }

  text(index: number): string {
    const value = this.#cells[index];
    if (typeof value !== "string") throw this.#corrupt(index, "a text");
    return value;
  }

  /** The name that a code of `names` stands for. */
  name<Name extends string>(index: number, names: readonly Name[]): Name {
    const name = names[this.number(index)];
    if (name === undefined) throw this.#corrupt(index, "a known code");
    return name;
  }

  row(index: number): RowReader {
    return new RowReader(this.#cells[index]);
  }

  rows(index: number): readonly RowReader[] {
    const value = this.#cells[index];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw this.#corrupt(index, "rows");
    return value.map((each) => new RowReader(each));
  }

  texts(index: number): Readonly<Record<string, string>> {
    const value = this.#cells[index];
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw this.#corrupt(index, "texts by name");
    const entries = Object.entries(value).map(([name, text]: [string, unknown]) => {
      if (typeof text !== "string") throw this.#corrupt(index, "texts by name");
      return [name, text] as const;
    });
    return Object.fromEntries(entries);
  }

  /** What `read` makes of a cell, or undefined if it is empty. */
  optional<Value>(index: number, read: (index: number) => Value): Value | undefined {
    const value = this.#cells[index];
    return value === undefined || value === null ? undefined : read(index);
  }

  /** True, or undefined if the cell is empty. */
  flag(index: number): true | undefined {
    return this.optional(index, () => true);
  }

  #corrupt(index: number, expected: string): Error {
    return new Error(`a corrupt record: cell ${index} is not ${expected}`);
  }
}

type Defined<Fields> = {
  [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name];
} & { [Name in keyof Fields as undefined extends Fields[Name] ? Name : never]?: Exclude<Fields[Name], undefined> };

/** A copy without the fields that are undefined: what is absent stays absent. */
export function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  // Exactly the fields that may be undefined may be missing now, which is what the type says.
  return Object.fromEntries(entries) as Defined<Fields>;
}
