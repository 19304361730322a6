/** A plug that is pulled. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="7" fill="#1f5fbf"/>
<path d="M5 16h7m8 0h7M12 11v10m8-10v10" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round"/>
</svg>
`;
