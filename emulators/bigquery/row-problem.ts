// What is wrong with one row of an append; its text goes into `row_errors`. Thrown by proto-row.ts, caught by append-rows.ts.
export class RowProblem extends Error {
  override name = 'RowProblem';
}
