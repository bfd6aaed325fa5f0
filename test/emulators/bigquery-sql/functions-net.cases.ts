// Hosts, registrable domains and public suffixes. The answers are those of Google's reference evaluator; test/contract/googlesql/evaluator.test.ts asks it again.
import type { Case } from './wire.ts';

export const NET: Case[] = [
  ["NET.REG_DOMAIN('https://www.Example.co.uk/x?y')", 'STRING', 'Example.co.uk'],
  ["NET.REG_DOMAIN('//m.facebook.com')", 'STRING', 'facebook.com'],
  ["NET.REG_DOMAIN('a.b.c.blogspot.com')", 'STRING', 'blogspot.com'],
  ["NET.REG_DOMAIN('co.uk')", 'STRING', null],
  ["NET.REG_DOMAIN('localhost')", 'STRING', null],
  ["NET.REG_DOMAIN('http://1.2.3.4/')", 'STRING', null],
  ["NET.REG_DOMAIN('http://[::1]:80/')", 'STRING', null],
  ["NET.REG_DOMAIN('https://例え.org/')", 'STRING', '例え.org'],
  ["NET.REG_DOMAIN('shop.example.de:8080/x')", 'STRING', 'example.de'],
  ["NET.REG_DOMAIN('')", 'STRING', null],
  ["NET.REG_DOMAIN(CAST(NULL AS STRING))", 'STRING', null],
  ["NET.REG_DOMAIN('a.example.ac.nz')", 'STRING', 'example.ac.nz'],
  ["NET.PUBLIC_SUFFIX('https://www.Example.co.uk/x?y')", 'STRING', 'co.uk'],
  ["NET.PUBLIC_SUFFIX('WWW.Example.COM')", 'STRING', 'COM'],
  ["NET.PUBLIC_SUFFIX('uk')", 'STRING', 'uk'],
  ["NET.PUBLIC_SUFFIX('com')", 'STRING', 'com'],
  ["NET.PUBLIC_SUFFIX('localhost')", 'STRING', null],
  ["NET.HOST('https://user:pw@www.Example.co.uk:8080/x?y')", 'STRING', 'www.Example.co.uk'],
  ["NET.HOST('www.example.co.uk/path')", 'STRING', 'www.example.co.uk'],
  ["NET.HOST('mailto:x@y.com')", 'STRING', 'y.com'],
];
