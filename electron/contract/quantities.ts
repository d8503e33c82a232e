// Numbers as people read them, wherever they appear.

/** 12.3 MB: decimal units, three digits. */
export function size(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  let unit = 0
  let value = bytes
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1]
  if (unit === 0) return `${value} bytes`
  return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${units[unit]}`
}

/** 3,672,320. */
export const count = (n: number): string => n.toLocaleString('en-US')

/** 3,672,320 becomes 3.67M. */
export function amount(n: number): string {
  if (n < 1e3) return String(n)
  const [value, unit] = n >= 1e9 ? [n / 1e9, 'B'] : n >= 1e6 ? [n / 1e6, 'M'] : [n / 1e3, 'k']
  return `${value.toPrecision(3)}${unit}`
}

/** 7 s, 2:05, 1:02:03. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds))
  if (s < 60) return `${s} s`
  const two = (n: number) => String(n).padStart(2, '0')
  const minutes = Math.floor(s / 60)
  return minutes < 60 ? `${minutes}:${two(s % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(s % 60)}`
}

export const bits = (value: number): string => value.toFixed(2)

/** A perplexity always carries its error: 17.82 ± 1.40, or alone where there is only one window. */
export function perplexity({
  value,
  standard_error: error,
}: {
  value: number | null
  standard_error: number | null
}): string {
  if (value === null) return 'not finite'
  if (value >= 1e5) return value.toExponential(1)
  const digits = value >= 1000 ? 0 : value >= 100 ? 1 : 2
  return error === null ? value.toFixed(digits) : `${value.toFixed(digits)} ± ${error.toFixed(digits)}`
}

/** KL divergences and logarithms of ratios, in nats: 0.0412. */
export const divergence = (value: number | null): string => {
  if (value === null) return 'not finite'
  return Math.abs(value) >= 0.00005 || value === 0 ? value.toFixed(4) : value.toExponential(1)
}

/** Shares and differences of probabilities: 87.31 %. */
export const percent = (share: number | null): string =>
  share === null ? 'not finite' : `${(100 * share).toFixed(2)} %`

export const secondsText = (value: number): string => (value < 10 ? value.toFixed(1) : value.toFixed(0))

/** 24 ms, 1.6 s, 47 s, 2:05. */
export function spent(seconds: number): string {
  if (seconds < 0.9995) return `${Math.round(1000 * seconds)} ms`
  return seconds < 59.5 ? `${secondsText(seconds)} s` : duration(seconds)
}
