/* Judges cases with BearSSL; --version prints its version. */
#define _GNU_SOURCE
#include "lines.h"

#include <dlfcn.h>
#include <limits.h>

#include <bearssl.h>

#define MOST 64 /* objects of a file */
#define DAYS_BEFORE_1970 719528L

typedef struct {
	unsigned char *data;
	size_t length, room;
} octets;

typedef struct {
	octets one[MOST];
	size_t count;
} objects;

static void put(void *to, const void *data, size_t length)
{
	octets *held = to;
	if (held->length + length > held->room)
		held->data = realloc(held->data, held->room = 2 * (held->length + length) + 1024);
	memcpy(held->data + held->length, data, length);
	held->length += length;
}

/* The PEM objects of a file whose label ends so; 0 when it is not PEM to the end. */
static int read_pem(const char *path, const char *label, objects *found)
{
	br_pem_decoder_context reader;
	size_t length, done = 0;
	int wanted = 0, inside = 0;
	unsigned char *data = read_file(path, &length);
	found->count = 0;
	if (!data)
		return 0;
	data[length++] = '\n'; /* in the place of the NUL: the last line may have no end */
	br_pem_decoder_init(&reader);
	while (done < length) {
		done += br_pem_decoder_push(&reader, data + done, length - done);
		switch (br_pem_decoder_event(&reader)) {
		case BR_PEM_BEGIN_OBJ: {
			const char *name = br_pem_decoder_name(&reader);
			size_t own = strlen(name), end = strlen(label);
			wanted = own >= end && strcmp(name + own - end, label) == 0 && found->count < MOST;
			inside = 1;
			if (wanted) {
				found->one[found->count] = (octets){0};
				br_pem_decoder_setdest(&reader, put, &found->one[found->count]);
			} else
				br_pem_decoder_setdest(&reader, NULL, NULL);
			break;
		}
		case BR_PEM_END_OBJ:
			found->count += wanted;
			wanted = inside = 0;
			break;
		case BR_PEM_ERROR:
			free(data);
			return 0;
		}
	}
	free(data);
	return !inside;
}

static void forget(objects *found)
{
	while (found->count > 0)
		free(found->one[--found->count].data);
}

static const char *failure(int code)
{
	static const char *const words[] = {
		"invalid value", "truncated certificate", "no certificate", "element runs past its parent",
		"unexpected tag class", "unexpected tag", "indefinite length", "extraneous element", "unexpected element",
		"not constructed", "not primitive", "incomplete byte", "invalid boolean", "overflow", "invalid name",
		"invalid time", "unsupported feature", "limit exceeded", "wrong type of key", "invalid signature",
		"time unknown", "expired or not yet valid", "names do not chain", "wrong server name",
		"unknown critical extension", "not a CA", "key usage forbids it", "public key too weak", "code 61", "not trusted"
	};
	static char number[32];
	if (code >= BR_ERR_X509_INVALID_VALUE && code <= BR_ERR_X509_NOT_TRUSTED) {
		return words[code - BR_ERR_X509_INVALID_VALUE];
	}
	snprintf(number, sizeof number, "code %d", code);
	return number;
}

/* An anchor as the brssl tool makes it from a certificate; its octets stay in use. */
static int make_anchor(const octets *certificate, br_x509_trust_anchor *anchor, octets *name, br_x509_decoder_context *reader)
{
	br_x509_pkey *key;
	*name = (octets){0};
	br_x509_decoder_init(reader, (void (*)(void *, const void *, size_t))put, name);
	br_x509_decoder_push(reader, certificate->data, certificate->length);
	key = br_x509_decoder_get_pkey(reader);
	if (!key)
		return br_x509_decoder_last_error(reader);
	anchor->dn.data = name->data;
	anchor->dn.len = name->length;
	anchor->flags = br_x509_decoder_isCA(reader) ? BR_X509_TA_CA : 0;
	anchor->pkey = *key;
	return 0;
}

/* As br_ssl_client_init_full sets the engine of a client. */
static void set_up(br_x509_minimal_context *engine, const br_x509_trust_anchor *anchors, size_t count, long long at)
{
	static const br_hash_class *const hashes[] = { &br_md5_vtable, &br_sha1_vtable, &br_sha224_vtable,
		&br_sha256_vtable, &br_sha384_vtable, &br_sha512_vtable };
	br_x509_minimal_init(engine, &br_sha256_vtable, anchors, count);
	br_x509_minimal_set_rsa(engine, br_rsa_pkcs1_vrfy_get_default());
	br_x509_minimal_set_ecdsa(engine, br_ec_get_default(), br_ecdsa_vrfy_asn1_get_default());
	for (int id = br_md5_ID; id <= br_sha512_ID; id++)
		br_x509_minimal_set_hash(engine, id, hashes[id - 1]);
	br_x509_minimal_set_time(engine, (uint32_t)(DAYS_BEFORE_1970 + at / 86400), (uint32_t)(at % 86400));
}

static int judge_path(char **fields, br_x509_minimal_context *engine, objects *sent)
{
	static objects above, trusted;
	static br_x509_trust_anchor anchors[MOST];
	static octets names[MOST];
	static br_x509_decoder_context readers[MOST];
	char *path, *list = fields[ANCHORS];
	size_t count = 0;
	int code = 0;
	above.count = 0;
	if (!read_pem(fields[CERTIFICATE], "CERTIFICATE", sent) || sent->count == 0 ||
	    (*fields[CHAIN] && (!read_pem(fields[CHAIN], "CERTIFICATE", &above) || above.count == 0))) {
		say("path", 0, "not a PEM file of certificates");
		forget(sent);
		return 0;
	}
	while ((path = next_path(&list))) {
		if (!read_pem(path, "CERTIFICATE", &trusted))
			code = BR_ERR_X509_EMPTY_CHAIN;
		for (size_t each = 0; each < trusted.count && count < MOST && code == 0; each++, count++)
			code = make_anchor(&trusted.one[each], &anchors[count], &names[count], &readers[count]);
	}
	set_up(engine, anchors, count, atoll(fields[AT]));
	if (code == 0) {
		const br_x509_class **chain = &engine->vtable;
		(*chain)->start_chain(chain, *fields[HOST] ? fields[HOST] : NULL);
		for (size_t each = 0; each < sent->count + above.count; each++) {
			const octets *one = each < sent->count ? &sent->one[each] : &above.one[each - sent->count];
			(*chain)->start_cert(chain, (uint32_t)one->length);
			(*chain)->append(chain, one->data, one->length);
			(*chain)->end_cert(chain);
		}
		code = (int)(*chain)->end_chain(chain);
		say("path", code == 0, code == 0 ? "" : failure(code));
	} else {
		char words[96];
		snprintf(words, sizeof words, "trust anchor: %s", failure(code));
		say("path", 0, words);
	}
	forget(&above);
	return code == 0;
}

static int same(const unsigned char *one, size_t length, const unsigned char *other, size_t others)
{
	while (length > 0 && *one == 0)
		one++, length--;
	while (others > 0 && *other == 0)
		other++, others--;
	return length == others && memcmp(one, other, length) == 0;
}

static const char *not_matching(const br_skey_decoder_context *found, const br_x509_pkey *certified)
{
	static unsigned char made[4096];
	if (br_skey_decoder_key_type((br_skey_decoder_context *)found) != certified->key_type)
		return "the key is of another type than the certificate's";
	if (certified->key_type == BR_KEYTYPE_RSA) {
		const br_rsa_private_key *own = br_skey_decoder_get_rsa((br_skey_decoder_context *)found);
		/* The default implementation gives no modulus of 4096 bits. */
		size_t length = own->n_bitlen <= 8 * sizeof made ? br_rsa_i15_compute_modulus(made, own) : 0;
		return same(made, length, certified->key.rsa.n, certified->key.rsa.nlen) ? NULL : "the keys differ";
	}
	br_ec_public_key point;
	const br_ec_private_key *own = br_skey_decoder_get_ec((br_skey_decoder_context *)found);
	size_t length = br_ec_compute_pub(br_ec_get_default(), &point, made, own);
	return own->curve == certified->key.ec.curve && same(made, length, certified->key.ec.q, certified->key.ec.qlen) ? NULL : "the keys differ";
}

static void judge_key(char **fields, const octets *certificate)
{
	static br_x509_decoder_context reader;
	static br_skey_decoder_context opened;
	static objects held;
	const br_x509_pkey *certified;
	const char *wrong = NULL;
	octets name = {0};
	br_x509_decoder_init(&reader, (void (*)(void *, const void *, size_t))put, &name);
	br_x509_decoder_push(&reader, certificate->data, certificate->length);
	certified = br_x509_decoder_get_pkey(&reader);
	free(name.data);
	if (!certified)
		return; /* the path says what is wrong with it */
	if (!read_pem(fields[KEY], "PRIVATE KEY", &held) || held.count == 0) {
		wrong = "not a PEM file of a private key";
	} else {
		br_skey_decoder_init(&opened);
		br_skey_decoder_push(&opened, held.one[0].data, held.one[0].length);
		wrong = br_skey_decoder_last_error(&opened) ? failure(br_skey_decoder_last_error(&opened)) : not_matching(&opened, certified);
	}
	say("key", wrong == NULL, wrong);
	forget(&held);
}

/* The library has no number of its own: that of its file, libbearssl.so.0.6. */
static void say_version(void)
{
	Dl_info found;
	char file[PATH_MAX], *number = NULL;
	if (dladdr((void *)br_x509_minimal_init, &found) && found.dli_fname && realpath(found.dli_fname, file))
		number = strstr(file, ".so.");
	printf("BearSSL %s\n", number ? number + 4 : "(static)");
}

int main(int count, char **words)
{
	char *fields[FIELDS];
	static objects sent;
	static br_x509_minimal_context engine;
	if (count > 1 && strcmp(words[1], "--version") == 0) {
		say_version();
		return 0;
	}
	while (next_case(fields)) {
		judge_path(fields, &engine, &sent);
		if (*fields[KEY] && sent.count > 0)
			judge_key(fields, &sent.one[0]);
		forget(&sent);
		end_case();
	}
	return 0;
}
