// The registrable domain is Google's where the rules of a top-level domain are known here, and an error that names the function everywhere else.
import { beforeAll, expect, test } from 'vitest';
import { startEngine } from './engine.ts';
import type { Engine } from './engine.ts';

let engine: Engine;
beforeAll(async () => { engine = await startEngine(); });

test.each(['a.example.co.jp', 'https://example.com.br/', 'x.sch.uk', 'a..com'])('NET.REG_DOMAIN of %s is refused by name', async (host) => {
  await expect(engine.rows(`SELECT NET.REG_DOMAIN('${host}')`)).rejects.toThrow('NET.REG_DOMAIN');
});

test('one such host does not hurt where SAFE is said', async () => {
  expect(await engine.rows("SELECT h, SAFE.NET.REG_DOMAIN(h) FROM UNNEST(['www.shop.de', 'shop.co.jp']) AS h ORDER BY h")).toEqual([['shop.co.jp', null], ['www.shop.de', 'shop.de']]);
});
