// What the GA4 export lifts out of an event's parameters: items, the ecommerce record, the value in US dollars. Pure. Parameters stay
// where they are too, as in the export; only `items` moves. Amounts in other currencies get no dollars: no rates are known here.

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Columns of `items`; anything else that a client puts into an item becomes a parameter of the item. */
const ITEM_TEXTS: ReadonlySet<string> = new Set([
  'item_id', 'item_name', 'item_brand', 'item_variant', 'item_category', 'item_category2', 'item_category3', 'item_category4', 'item_category5',
  'coupon', 'affiliation', 'location_id', 'item_list_id', 'item_list_name', 'item_list_index', 'promotion_id', 'promotion_name', 'creative_name', 'creative_slot',
]);
const ITEM_NUMBERS: ReadonlySet<string> = new Set(['price', 'price_in_usd', 'quantity', 'item_revenue', 'item_revenue_in_usd', 'item_refund', 'item_refund_in_usd']);

const numberOf = (value: unknown): number | undefined => {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
};

/** Columns beside event_params for an event of that name. */
export function liftCommerce(name: unknown, params: Fields): Fields {
  const lifted: Fields = {};
  const isUsd = params['currency'] === 'USD';
  const value = numberOf(params['value']);
  if (params['items'] !== undefined) lifted['items'] = Array.isArray(params['items']) ? params['items'].map((item: unknown) => (isFields(item) ? itemOf(item, name, isUsd) : item)) : params['items'];
  const ecommerce = ecommerceOf(name, params, value, isUsd);
  if (Object.keys(ecommerce).length > 0) lifted['ecommerce'] = ecommerce;
  if (isUsd && value !== undefined) lifted['event_value_in_usd'] = value;
  return lifted;
}

function ecommerceOf(name: unknown, params: Fields, value: number | undefined, isUsd: boolean): Fields {
  const fields: Fields = {};
  const set = (column: string, amount: number | undefined): void => {
    if (amount === undefined) return;
    fields[column] = amount;
    if (isUsd) fields[`${column}_in_usd`] = amount;
  };
  const items = Array.isArray(params['items']) ? params['items'].filter(isFields) : [];
  if (items.length > 0) {
    fields['total_item_quantity'] = items.reduce((sum, item) => sum + (numberOf(item['quantity']) ?? 1), 0);
    fields['unique_items'] = new Set(items.map((item) => item['item_id'] ?? item['item_name'])).size;
  }
  if (name === 'purchase' || name === 'in_app_purchase') set('purchase_revenue', value);
  if (name === 'refund') set('refund_value', value);
  set('shipping_value', numberOf(params['shipping']));
  set('tax_value', numberOf(params['tax']));
  const transactionId = params['transaction_id'];
  if (typeof transactionId === 'string' || typeof transactionId === 'number') fields['transaction_id'] = String(transactionId);
  return fields;
}

function itemOf(sent: Fields, name: unknown, isUsd: boolean): Fields {
  const item: Fields = {};
  const rest: Fields = {};
  for (const [key, value] of Object.entries(sent)) {
    if (ITEM_NUMBERS.has(key)) item[key] = numberOf(value) ?? value;
    else if (key === 'index') item['item_list_index'] = String(value);
    else if (ITEM_TEXTS.has(key)) item[key] = typeof value === 'number' ? String(value) : value;
    else rest[key] = value;
  }
  const price = numberOf(item['price']);
  if (price !== undefined && isUsd) item['price_in_usd'] ??= price;
  const column = name === 'purchase' ? 'item_revenue' : name === 'refund' ? 'item_refund' : undefined;
  if (price !== undefined && column !== undefined) {
    const amount = price * (numberOf(item['quantity']) ?? 1);
    item[column] ??= amount;
    if (isUsd) item[`${column}_in_usd`] ??= amount;
  }
  if (Object.keys(rest).length > 0) item['item_params'] = rest;
  return item;
}
