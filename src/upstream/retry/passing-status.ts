/** Whether a status is 502, 503 or 504: the server cannot answer now. A call may be sent again after it. */
export function isPassingStatus(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}
