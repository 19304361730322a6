/** The answers of a server that cannot answer: 502, 503, 504. After them a call may be sent again. */
export function isPassingStatus(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}
