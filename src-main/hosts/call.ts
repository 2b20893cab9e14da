import type { ApiClient, ApiInput, ApiMethod, ApiOutput } from '../../shared/api.ts';
import { AppError } from '../../shared/result.ts';

/** Calls a method of the service and answers its value, or throws `AppError`. */
export type Call = <M extends ApiMethod>(method: M, input: ApiInput<M>) => Promise<ApiOutput<M>>;

export function createCall(client: ApiClient): Call {
  return async (method, input) => {
    const result = await client[method](input);
    if (!result.ok) throw new AppError(result.error.code, result.error.message);
    return result.value;
  };
}
