// What the declarations of an entry point mention and do not export, found by the compiler itself.
import ts from 'typescript';

export interface Gap {
  readonly entry: string;
  /** The type that a user cannot name. */
  readonly type: string;
  /** The exported name whose declaration mentions it. */
  readonly mentionedBy: string;
}

/**
 * Not gaps: what the first entry exports, from which everybody can import it; classes, and interfaces that their own file keeps for itself, which
 * only carry a part of a public one's members; and constants whose type is asked for (`typeof`).
 *
 * @param entries .d.ts files
 */
export function gapsIn(entries: readonly string[]): Gap[] {
  const program = ts.createProgram([...entries], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    skipLibCheck: true,
    types: ['node'],
  });
  const checker = program.getTypeChecker();
  const exported = (entry: string) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry) as ts.Node);
    if (module === undefined) throw new Error(`${entry} is no module`);
    return checker.getExportsOfModule(module).map((symbol) => targetOf(symbol, checker));
  };
  const main = exported(entries[0] as string);
  return entries.flatMap((entry) => new Entry(entry, exported(entry), main, checker).gaps());
}

class Entry {
  readonly #entry: string;
  readonly #checker: ts.TypeChecker;
  readonly #exported: readonly ts.Symbol[];
  /** What a user can name, or need not. */
  readonly #known: Set<ts.Symbol>;
  readonly #gaps = new Map<ts.Symbol, Gap>();
  readonly #seen = new Set<ts.Node>();

  constructor(entry: string, exported: readonly ts.Symbol[], main: readonly ts.Symbol[], checker: ts.TypeChecker) {
    this.#entry = entry;
    this.#checker = checker;
    this.#exported = exported;
    this.#known = new Set([...exported, ...main]);
  }

  gaps(): Gap[] {
    for (const symbol of this.#exported) {
      for (const declaration of symbol.declarations ?? []) this.#visit(declaration, symbol.name);
    }
    return [...this.#gaps].filter(([type]) => !this.#known.has(type)).map(([, gap]) => gap);
  }

  #visit(node: ts.Node, mentionedBy: string): void {
    if (this.#seen.has(node) || isPrivate(node)) return;
    this.#seen.add(node);
    if (ts.isTypeReferenceNode(node)) this.#mention(node.typeName, mentionedBy);
    else if (ts.isImportTypeNode(node) && node.qualifier) this.#mention(node.qualifier, mentionedBy);
    else if (ts.isExpressionWithTypeArguments(node)) this.#inherit(node, mentionedBy);
    ts.forEachChild(node, (child) => this.#visit(child, mentionedBy));
  }

  #inherit(node: ts.ExpressionWithTypeArguments, mentionedBy: string): void {
    const symbol = this.#checker.getSymbolAtLocation(node.expression);
    const base = symbol && targetOf(symbol, this.#checker);
    const isClass = base !== undefined && (base.flags & ts.SymbolFlags.Class) !== 0;
    if (base === undefined || !(isClass || isLocal(base))) {
      this.#mention(node.expression, mentionedBy);
    } else if (isOwn(base)) {
      // Its members are those of the public one.
      this.#known.add(base);
      for (const declaration of base.declarations ?? []) this.#visit(declaration, mentionedBy);
    }
  }

  #mention(name: ts.Node, mentionedBy: string): void {
    const symbol = this.#checker.getSymbolAtLocation(name);
    const type = symbol && targetOf(symbol, this.#checker);
    if (type === undefined || !isOwn(type) || this.#gaps.has(type)) return;
    if ((type.flags & ts.SymbolFlags.TypeParameter) !== 0) return;
    this.#gaps.set(type, { entry: this.#entry, type: type.name, mentionedBy });
  }
}

/** Neither the language's nor another package's. */
function isOwn(symbol: ts.Symbol): boolean {
  return (symbol.declarations ?? []).some((each) => !each.getSourceFile().fileName.includes('/node_modules/'));
}

function isLocal(symbol: ts.Symbol): boolean {
  return (symbol.declarations ?? []).every(
    (each) => (ts.getCombinedModifierFlags(each) & ts.ModifierFlags.Export) === 0,
  );
}

function targetOf(symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(symbol) : symbol;
}

function isPrivate(node: ts.Node): boolean {
  if (!ts.isClassElement(node)) return false;
  return (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) !== 0;
}
