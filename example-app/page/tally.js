/** How many of the troubles each side has met honestly, in a sentence. `verdicts` has one list for each name in `names`. */
export function tallyInWords(names, verdicts) {
  const sums = names.map((name, side) => {
    const counted = verdicts[side].filter((verdict) => verdict !== 'disturbed');
    const honest = counted.filter((verdict) => verdict === 'honest');
    return `${name} ${honest.length} of ${counted.length}`;
  });
  const disturbed = verdicts.flat().filter((verdict) => verdict === 'disturbed').length;
  const remark = disturbed === 0 ? '' : ` Not counted: ${disturbed}, as something was being restarted.`;
  return `Met honestly: ${sums.join(', ')}.${remark}`;
}
