"""The fleet with trustme: a root, an issuing CA and 20 sensors, written to the current directory."""

from trustme import CA, KeyType

root = CA(organization_name="Contoso Inc.", key_type=KeyType.RSA)
issuing = root.create_child_ca(key_type=KeyType.RSA)
root.cert_pem.write_to_path("root.crt")
for number in range(1, 21):
    host = f"sensor-{number:02}.contoso.test"
    leaf = issuing.issue_cert(host, common_name=host, organization_name="Contoso Inc.", key_type=KeyType.RSA)
    leaf.private_key_pem.write_to_path(f"{host}.key")
    for block in leaf.cert_chain_pems:
        block.write_to_path(f"{host}.crt", append=True)
