# Imports contoso-ot into the certificate stores of this machine, or of a user:
#   powershell -ExecutionPolicy Bypass -File import.ps1 -Name 'sensor-*' -Location CurrentUser
# Run it as an administrator for LocalMachine. -Remove removes the imported certificates.
[CmdletBinding()]
param(
    [string] $Name = '*',
    [ValidateSet('LocalMachine', 'CurrentUser')]
    [string] $Location = 'LocalMachine',
    [switch] $Exportable,
    [switch] $Remove
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$anchors = @(
    'trust/1.cer'
)
$certificates = @(
    'sensor.pem-crlf',
    'sensor.pem-utf16',
    'sensor.expired'
)

$line = Get-Content -LiteralPath (Join-Path $PSScriptRoot 'private/passphrase.txt') -TotalCount 1 -Encoding UTF8
$passphrase = ConvertTo-SecureString -String $line -AsPlainText -Force

foreach ($anchor in $anchors) {
    $file = Join-Path $PSScriptRoot $anchor
    if ($Remove) {
        $found = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 $file
        Remove-Item -Path "Cert:\$Location\Root\$($found.Thumbprint)" -ErrorAction SilentlyContinue
    } else {
        Import-Certificate -FilePath $file -CertStoreLocation "Cert:\$Location\Root" | Out-Null
    }
}

# Windows Server 2016 and Windows 10 before version 1709 do not read PKCS#12 files that are encrypted with AES.
$directory = if ([Environment]::OSVersion.Version.Build -lt 16299) { 'private/server-2016' } else { 'private' }

foreach ($certificate in $certificates | Where-Object { $_ -like $Name }) {
    $file = Join-Path $PSScriptRoot "$directory/$certificate.pfx"
    if ($Remove) {
        $found = (Get-PfxData -FilePath $file -Password $passphrase).EndEntityCertificates[0]
        Remove-Item -Path "Cert:\$Location\My\$($found.Thumbprint)" -DeleteKey -ErrorAction SilentlyContinue
    } else {
        $store = "Cert:\$Location\My"
        $found = Import-PfxCertificate -FilePath $file -CertStoreLocation $store -Password $passphrase -Exportable:$Exportable
        Write-Output "$certificate $($found.Thumbprint)"
    }
}
