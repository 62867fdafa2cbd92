import { decode, encode, type SourceMapSegment } from '@jridgewell/sourcemap-codec';

type SourceMap = { sources: string[]; names: string[]; mappings: string; [field: string]: unknown };

/**
 * A source map without what it says of packages. Node reads the whole map at every cold start, and most of it are
 * places in the SDK and in zod; a stack trace names those by their place in the bundle, and ours by function, file and line.
 */
export function ownSourceMap(json: string): string {
  const map: SourceMap = JSON.parse(json);
  const sources = map.sources.filter(isOwn);
  const names: string[] = [];
  const nameIndex = new Map<string, number>();
  const indexOf = (name: string): number => {
    if (!nameIndex.has(name)) nameIndex.set(name, names.push(name) - 1);
    return nameIndex.get(name) ?? 0;
  };
  const lines = decode(map.mappings).map((line) => {
    let open = true;
    return line.flatMap((segment): SourceMapSegment[] => {
      const path = segment.length === 1 ? undefined : map.sources[segment[1]];
      if (segment.length === 1 || path === undefined || !isOwn(path)) {
        // One empty segment ends what stood before it; more of them say nothing.
        const ends = open;
        open = false;
        return ends ? [[segment[0]]] : [];
      }
      open = true;
      const [column, , row, at] = segment;
      const source = sources.indexOf(path);
      return segment.length === 4
        ? [[column, source, row, at]]
        : [[column, source, row, at, indexOf(map.names[segment[4]] ?? '')]];
    });
  });
  return JSON.stringify({ ...map, sources, names, mappings: encode(lines) });
}

function isOwn(source: string): boolean {
  return !source.includes('node_modules/');
}
