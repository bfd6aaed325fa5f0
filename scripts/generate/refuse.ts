// What generation throws when a schema cannot become columns: the file and the JSON pointer of the offending keyword.
export class SchemaRefusal extends Error {
  readonly file: string;
  readonly pointer: string;
  constructor(file: string, pointer: string, problem: string) {
    super(`${file}#${pointer}: ${problem}`);
    this.name = 'SchemaRefusal';
    this.file = file;
    this.pointer = pointer;
  }
}
