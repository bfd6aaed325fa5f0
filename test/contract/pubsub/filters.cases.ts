// Contract cases of subscription filters: what each expression of the language lets through, what is no expression, and what happens to the rest.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { DOCS, expectNothing, expectRefusal, publish, pull, type PubSubWorld } from './world.ts';

type Case = ContractCase<PubSubWorld>;

/** The messages that every filter below judges, by their data. */
const MESSAGES: Record<string, Record<string, string>> = {
  'com-en': { domain: 'com', lang: 'en' }, 'com-none': { domain: 'com' }, 'org-en': { domain: 'org', lang: 'en' }, 'net-EN': { domain: 'net', lang: 'EN' },
  none: {}, empty: { domain: '' }, odd: { 'iana.org/language_tag': 'ko', 'wo-rd_1': 'x', quote: 'say "hi"\\' }, script: { みんな: '한국어' },
};

const EXPRESSIONS: { name: string; filter: string; passes: string[]; differs?: Case['differs'] }[] = [
  { name: 'has-key', filter: 'attributes:domain', passes: ['com-en', 'com-none', 'empty', 'net-EN', 'org-en'] },
  { name: 'has-key-in-quotes', filter: 'attributes:"iana.org/language_tag"', passes: ['odd'] },
  { name: 'equals', filter: 'attributes.domain = "com"', passes: ['com-en', 'com-none'] },
  { name: 'equals-without-spaces', filter: 'attributes.domain="com"', passes: ['com-en', 'com-none'] },
  { name: 'equals-is-case-sensitive', filter: 'attributes.lang = "en"', passes: ['com-en', 'org-en'] },
  { name: 'equals-empty', filter: 'attributes.domain = ""', passes: ['empty'] },
  { name: 'equals-quoted-key', filter: 'attributes."iana.org/language_tag" = "ko"', passes: ['odd'], differs: { independent: { reason: 'pstest knows no quoted keys behind the dot' } } },
  { name: 'equals-key-with-dash', filter: 'attributes.wo-rd_1 = "x"', passes: ['odd'] },
  { name: 'equals-other-script', filter: 'attributes."みんな" = "한국어"', passes: ['script'], differs: { independent: { reason: 'pstest knows no quoted keys behind the dot' } } },
  { name: 'equals-unicode-escape', filter: 'attributes."\\u307F\\u3093\\u306A" = "\\ud55c\\uad6d\\uc5b4"', passes: ['script'], differs: { independent: { reason: 'pstest knows no quoted keys behind the dot, and no escapes' } } },
  { name: 'equals-escaped-quote', filter: 'attributes.quote = "say \\"hi\\"\\\\"', passes: ['odd'] },
  { name: 'equals-hexadecimal-escape', filter: 'attributes.domain = "\\x63\\157m"', passes: ['com-en', 'com-none'], differs: { independent: { reason: 'pstest knows no escapes but of quotation mark and backslash' } } },
  { name: 'not-equals', filter: 'attributes:domain AND attributes.domain != "com"', passes: ['empty', 'net-EN', 'org-en'] },
  { name: 'prefix', filter: 'hasPrefix(attributes.domain, "co")', passes: ['com-en', 'com-none'] },
  { name: 'prefix-is-no-part', filter: 'hasPrefix(attributes.domain, "o")', passes: ['org-en'] },
  { name: 'prefix-empty', filter: 'hasPrefix(attributes.lang, "")', passes: ['com-en', 'net-EN', 'org-en'] },
  { name: 'not', filter: 'NOT attributes:domain', passes: ['none', 'odd', 'script'] },
  { name: 'minus', filter: '-attributes:domain', passes: ['none', 'odd', 'script'] },
  { name: 'not-prefix', filter: 'attributes:domain AND NOT hasPrefix(attributes.domain, "c")', passes: ['empty', 'net-EN', 'org-en'] },
  { name: 'and', filter: 'attributes.domain = "com" AND attributes.lang = "en"', passes: ['com-en'] },
  { name: 'or', filter: 'attributes.domain = "org" OR attributes.lang = "EN"', passes: ['net-EN', 'org-en'] },
  { name: 'three-ands', filter: 'attributes:domain AND attributes:lang AND NOT attributes.lang = "EN"', passes: ['com-en', 'org-en'] },
  { name: 'parentheses', filter: '(attributes.domain = "com" OR attributes.domain = "org") AND NOT (attributes:lang)', passes: ['com-none'] },
];

const expressionCases = EXPRESSIONS.map(({ name, filter, passes, differs }): Case => ({
  name: `filter-${name}`,
  promise: `the filter ${filter} lets through exactly the messages that it describes`,
  methods: ['filters'],
  source: DOCS.filters,
  ...(differs === undefined ? {} : { differs }),
  async run(world) {
    const { topic, path } = await world.pair({ filter });
    expect((await world.subscriber.getSubscription({ subscription: path }))[0].filter).toBe(filter);
    await world.publisher.publish({ topic: topic.name, messages: Object.entries(MESSAGES).map(([text, attributes]) => ({ data: Buffer.from(text), attributes })) });
    expect((await pull(world, path, passes.length)).map(({ text }) => text).sort()).toEqual(passes);
    await expectNothing(world, path, 100);
  },
}));

const WRONG: { name: string; filter: string; differs?: Case['differs'] }[] = [
  { name: 'value-without-quotes', filter: 'attributes.domain = com', differs: { independent: { reason: 'pstest takes a word for a value' } } },
  { name: 'without-a-value', filter: 'attributes.domain =' },
  { name: 'of-the-data', filter: 'data = "x"', differs: { independent: { reason: 'pstest parses it, and lets nothing through' } } },
  { name: 'open-parenthesis', filter: '(attributes:domain' },
  { name: 'and-with-or', filter: 'attributes:a AND attributes:b OR attributes:c', differs: { independent: { reason: 'pstest mixes AND and OR' } } },
  { name: 'lower-case-operators', filter: 'attributes:a and attributes:b' },
  { name: 'prefix-of-one-argument', filter: 'hasPrefix(attributes.domain)' },
  { name: 'other-comparison', filter: 'attributes.domain > "com"' },
  { name: 'unclosed-text', filter: 'attributes.domain = "com', differs: { independent: { reason: 'pstest closes a text that is not closed' } } },
];

export const FILTER_CASES: readonly Case[] = [
  ...expressionCases,
  ...WRONG.map(({ name, filter, differs }): Case => ({
    name: `filter-refused-${name}`,
    promise: `the filter ${filter} is refused with INVALID_ARGUMENT`,
    methods: ['filters', 'Subscriber.CreateSubscription'],
    source: DOCS.filters,
    ...(differs === undefined ? {} : { differs }),
    async run({ topic, path, subscriber }) {
      const { name: onTopic } = await topic();
      await expectRefusal(subscriber.createSubscription({ name: path('subscriptions'), topic: onTopic, filter }), 'INVALID_ARGUMENT');
    },
  })),
  ...([[256, true], [257, false]] as const).map(([bytes, isTaken]): Case => ({
    name: `filter-of-${bytes}-bytes`,
    promise: `a filter of ${bytes} bytes is ${isTaken ? 'taken' : 'refused with INVALID_ARGUMENT'}`,
    methods: ['filters', 'Subscriber.CreateSubscription'],
    source: DOCS.filters,
    ...(isTaken ? {} : { differs: { independent: { reason: 'pstest does not limit filters' } } }),
    async run({ topic, path, subscriber }) {
      const { name: onTopic } = await topic();
      const start = 'attributes.key = "';
      const filter = `${start}${'v'.repeat(bytes - start.length - 1)}"`;
      const call = subscriber.createSubscription({ name: path('subscriptions'), topic: onTopic, filter });
      if (isTaken) expect((await call)[0].filter).toBe(filter);
      else await expectRefusal(call, 'INVALID_ARGUMENT');
    },
  })),
  {
    name: 'filter-of-one-subscription',
    promise: 'a filter concerns its own subscription: others of the topic get every message',
    methods: ['filters'],
    source: DOCS.filters,
    async run(world) {
      const { topic, path } = await world.pair({ filter: 'attributes:wanted' });
      const all = await world.subscription(topic);
      await publish(topic, 'plain');
      await topic.publishMessage({ data: Buffer.from('marked'), attributes: { wanted: 'yes' } });
      expect((await pull(world, path)).map(({ text }) => text)).toEqual(['marked']);
      expect((await pull(world, all, 2)).map(({ text }) => text).sort()).toEqual(['marked', 'plain']);
    },
  },
  {
    name: 'filter-counts-as-acknowledged',
    promise: 'what a filter keeps back counts as acknowledged: a seek back brings it to this subscription no more than before',
    methods: ['filters', 'Subscriber.Seek'],
    source: DOCS.filters,
    differs: { independent: { reason: 'a seek back ends the process of pstest', isSkipped: true }, cloud: { reason: 'a seek takes effect after a while', isSkipped: true } },
    async run(world) {
      const { topic, path } = await world.pair({ filter: 'attributes:wanted' }, { messageRetentionDuration: { seconds: 600 } });
      const beforeMs = Date.now() - 1_000;
      await publish(topic, 'plain');
      await topic.publishMessage({ data: Buffer.from('marked'), attributes: { wanted: 'yes' } });
      const [marked] = await pull(world, path);
      await world.subscriber.acknowledge({ subscription: path, ackIds: [marked!.ackId] });
      await world.subscriber.seek({ subscription: path, time: { seconds: Math.floor(beforeMs / 1_000) } });
      expect((await pull(world, path)).map(({ text }) => text)).toEqual(['marked']);
      await expectNothing(world, path);
    },
  },
];
