export async function request<T>(path: string, options: RequestInit = {}): Promise<T> {
  const response = await fetch(`${process.env.API_URL}${path}`, {
    headers: { 'Content-Type': 'application/json' },
    ...options,
  });
  return (await response.json()) as T;
}
