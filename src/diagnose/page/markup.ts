export const MARKUP = '<!doctype html>';
