// What BigQuery says is wrong with a query -> the sentence, and the place in the query with a mark under it. scripts/query.ts prints it.

type ApiError = Error & { code?: number | string; errors?: { reason?: string; message?: string }[] };

export function explainError(error: unknown, sql: string): string {
  const { message, errors, code } = error as ApiError;
  const first = errors?.[0];
  const text = first?.message ?? message;
  if (code === 'ECONNREFUSED' || /ECONNREFUSED/.test(message)) return 'BigQuery does not answer. Is npm start still running?';
  const [, line, column] = /\[(\d+):(\d+)\]/.exec(text) ?? [];
  const sentence = `${first?.reason === undefined ? '' : `${first.reason}: `}${text}`;
  return line === undefined ? sentence : `${sentence}\n${pointAt(sql, Number(line), Number(column))}`;
}

/** The line of the query with a caret under the column; both count from 1. */
export function pointAt(sql: string, line: number, column: number): string {
  const source = (sql.split('\n')[line - 1] ?? '').replaceAll('\t', ' ').replace(/\r$/, '');
  const margin = `  ${line} | `;
  return `${margin}${source}\n${' '.repeat(margin.length + Math.max(0, column - 1))}^`;
}
