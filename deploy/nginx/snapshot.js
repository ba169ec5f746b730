// What nginx cannot do by its own words for pages from the snapshot.

import fs from 'fs';

// The latter is the modification time of the position file.
function lastFound() {
	try {
		return fs.statSync('@SNAPSHOT@/position').mtimeMs / 1000;
	} catch (e) {
		return 0;
	}
}

// Age: seconds since the page was written, or since the runner last found that
// the snapshot was as new as the database, whichever is later.
function age(r) {
	var since = Math.max(lastFound(), Number(r.variables.snapshot_written));

	return Math.max(0, Math.floor(Date.now() / 1000 - since)).toString();
}

// A 304 must not speak of a length of 0 (RFC 9110 section 8.6).
function header(r) {
	if (r.status == 304)
		delete r.headersOut['Content-Length'];
}

export default { age, header };
