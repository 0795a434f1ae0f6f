// Colours, where somebody looks who can see them.

import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red';
export type Paint = (style: Style, text: string) => string;

export const plain: Paint = (_, text) => text;

/** Only if stdout is a terminal, and NO_COLOR is not set: styleText looks. */
export const forTerminal: Paint = (style, text) => styleText(style, text);
