// How schemas of the API are held to the types of src/model.

import type { z } from 'zod';

/** A schema of exactly T's values: one too many is as wrong as one too few. */
export const schemaOf =
  <T>() =>
  <S extends z.ZodType<T>>(schema: [T] extends [z.output<S>] ? S : never): S =>
    schema;
