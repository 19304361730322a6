import { Parts } from '../parts';

export const dynamic = 'force-dynamic';

export default Parts;
