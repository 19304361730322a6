/** A name in which control and format characters, line separators and halves of characters are question marks. */
export function printable(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '?');
}

/**
 * JSON of one line that can be printed: `JSON.stringify()` leaves the control characters from U+007F on, the line
 * separators of Unicode and the marks that reverse text as they are. Here they are `\u` escapes.
 */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
