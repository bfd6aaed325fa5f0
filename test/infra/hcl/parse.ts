// Terraform files in, blocks and attributes with file and line out. Called by evaluate.ts, plan.ts and the schema check.
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Language, Parser } from 'web-tree-sitter';
import type { Node } from 'web-tree-sitter';

/** The text of each .tf file by name. Tests damage a copy of it. */
export type Sources = Record<string, string>;
export type Place = { file: string; line: number };
export type Attribute = Place & { name: string; expression: Node };
export type Block = Place & { type: string; labels: string[]; body: Body };
export type Body = { attributes: Map<string, Attribute>; blocks: Block[] };

export function readSources(folder: string): Sources {
  return Object.fromEntries(readdirSync(folder).filter((name) => name.endsWith('.tf')).sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

export class HclError extends Error {
  override name = 'HclError';
  constructor(place: Place, message: string) {
    super(`${place.file}:${place.line}: ${message}`);
  }
}

await Parser.init();
const terraform = await Language.load(createRequire(import.meta.url).resolve('@tree-sitter-grammars/tree-sitter-hcl/tree-sitter-terraform.wasm'));

/** The blocks of all files, in the order of the files' names. */
export function parse(sources: Sources): Block[] {
  return Object.entries(sources).flatMap(([file, text]) => {
    const known = parsed.get(`${file}\n${text}`) ?? parseFile(file, text);
    parsed.set(`${file}\n${text}`, known);
    return known;
  });
}

/** A test that damages one file a hundred times reads the others once. */
const parsed = new Map<string, Block[]>();

function parseFile(file: string, text: string): Block[] {
  const parser = new Parser();
  parser.setLanguage(terraform);
  const root = parser.parse(text)!.rootNode;
  if (root.hasError) throw new HclError({ file, line: firstError(root).startPosition.row + 1 }, 'is no HCL.');
  const body = named(root).find(({ type }) => type === 'body');
  return body === undefined ? [] : bodyOf(body, file).blocks;
}

function bodyOf(node: Node, file: string): Body {
  const body: Body = { attributes: new Map(), blocks: [] };
  for (const child of named(node)) {
    const line = child.startPosition.row + 1;
    if (child.type === 'attribute') {
      const [name, expression] = named(child) as [Node, Node];
      if (body.attributes.has(name.text)) throw new HclError({ file, line }, `${name.text} is set twice.`);
      body.attributes.set(name.text, { name: name.text, expression, file, line });
    } else if (child.type === 'block') {
      const [type, ...rest] = named(child) as [Node, ...Node[]];
      const inner = rest.find((one) => one.type === 'body');
      const labels = rest.filter((one) => one.type === 'string_lit' || one.type === 'identifier').map((one) => one.text.replace(/^"|"$/g, ''));
      body.blocks.push({ type: type.text, labels, file, line, body: inner === undefined ? { attributes: new Map(), blocks: [] } : bodyOf(inner, file) });
    }
  }
  return body;
}

/** Children that mean something. */
export const named = (node: Node): Node[] => node.namedChildren.filter((child): child is Node => child !== null && child.type !== 'comment');

function firstError(node: Node): Node {
  if (node.isError || node.isMissing) return node;
  const broken = node.children.find((child) => child !== null && child.hasError);
  return broken === null || broken === undefined ? node : firstError(broken);
}
