/** Numbers for people. */

import prettyBytes from 'pretty-bytes';

/** 1234567 → 1,234,567. Not toLocaleString, which loads 25 ms of ICU. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 file`, `2 files` */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** 1,536 → 1.54 kB */
export function bytes(value: number): string {
  return prettyBytes(value);
}

/** 0.42 s, 12.3 s, 3 min 05 s, 2 h 07 min */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** In whole seconds, and then in what is worth reading: 2 s, 3 min 05 s, 2 h 07 min. */
export function roughly(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : duration(whole);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
