// The names of GoogleSQL's aggregate functions: a call of one without OVER makes its query an aggregating one. Read by tree-walk and the compiler.

const NAMES = new Set(
  `COUNT COUNTIF SUM AVG MIN MAX ANY_VALUE ARRAY_AGG ARRAY_CONCAT_AGG STRING_AGG LOGICAL_AND LOGICAL_OR BIT_AND BIT_OR BIT_XOR
  APPROX_COUNT_DISTINCT APPROX_QUANTILES APPROX_TOP_COUNT APPROX_TOP_SUM STDDEV STDDEV_SAMP STDDEV_POP VARIANCE VAR_SAMP VAR_POP
  CORR COVAR_SAMP COVAR_POP MAX_BY MIN_BY GROUPING HLL_COUNT.INIT HLL_COUNT.MERGE HLL_COUNT.MERGE_PARTIAL`.split(/\s+/),
);

export function isAggregateFunction(name: string): boolean {
  return NAMES.has(name);
}
