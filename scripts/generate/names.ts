// Names of generated things. Called by the writers of generated code.
export const pascalCase = (name: string): string => name.split(/[^A-Za-z0-9]+/).filter(Boolean).map((part) => part[0]!.toUpperCase() + part.slice(1)).join('');
export const camelCase = (name: string): string => pascalCase(name).replace(/^./, (first) => first.toLowerCase());
