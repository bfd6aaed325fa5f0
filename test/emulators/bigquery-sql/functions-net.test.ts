// The registrable domain is Google's for the hosts in functions-net.cases.ts; what Google reads otherwise than the list of suffixes says is an error that names the function.
import { beforeAll, expect, test } from 'vitest';
import { startEngine } from './engine.ts';
import type { Engine } from './engine.ts';

let engine: Engine;
beforeAll(async () => { engine = await startEngine(); });

test.each(['shop。com', 'a．com'])('NET.REG_DOMAIN of %s is refused by name', async (host) => {
  await expect(engine.rows(`SELECT NET.REG_DOMAIN('${host}')`)).rejects.toThrow('NET.REG_DOMAIN');
});

test('one such host does not hurt where SAFE is said', async () => {
  expect(await engine.rows("SELECT h, SAFE.NET.REG_DOMAIN(h) FROM UNNEST(['www.shop.de', 'shop。jp']) AS h ORDER BY h")).toEqual([['shop。jp', null], ['www.shop.de', 'shop.de']]);
});
