using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;
using Platform.Gateway.Settings;

namespace Platform.Gateway.Connections;

/// <summary>
/// What TLS connections are answered with: TLS 1.2 and 1.3 and the certificate of the settings, whose files are looked at again from time to time, so that
/// one that was renewed needs no restart.
/// </summary>
internal sealed partial class TlsCertificate
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(2);

    private readonly GatewayOptions _settings;
    private readonly TimeProvider _time;
    private readonly ILogger<TlsCertificate> _logger;
    private readonly Lock _looking = new();
    private volatile SslServerAuthenticationOptions _options;
    private (DateTime, DateTime, DateTime) _written;
    private long _looked;

    /// <summary>Reads the files.</summary>
    /// <exception cref="OptionsValidationException">They cannot be read; says so in a sentence.</exception>
    public TlsCertificate(GatewayOptions settings, TimeProvider time, ILogger<TlsCertificate> logger)
    {
        (_settings, _time, _logger) = (settings, time, logger);
        (_written, _looked) = (Written(), time.GetTimestamp());
        try
        {
            _options = Read(settings);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new OptionsValidationException("Gateway", typeof(GatewayOptions), [$"The TLS certificate, key or authorities cannot be read: {e.Message}"]);
        }
    }

    /// <summary>What the next connection is answered with.</summary>
    public SslServerAuthenticationOptions Current()
    {
        if (_time.GetElapsedTime(Volatile.Read(ref _looked)) > s_pause)
        {
            lock (_looking)
            {
                Volatile.Write(ref _looked, _time.GetTimestamp());
                if (Written() is var written && written != _written)
                {
                    Renew(written);
                }
            }
        }

        return _options;
    }

    private void Renew((DateTime, DateTime, DateTime) written)
    {
        try
        {
            _options = Read(_settings);
            _written = written;
            LogRenewed(_settings.TlsCertificateFile);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            // Half of it may be there, and the rest at the next look.
            LogNotRenewed(_settings.TlsCertificateFile, e.Message);
        }
    }

    // A file that is not there has a date, too.
    private (DateTime, DateTime, DateTime) Written() => (
        File.GetLastWriteTimeUtc(_settings.TlsCertificateFile!), File.GetLastWriteTimeUtc(_settings.TlsKeyFile!),
        _settings.TlsClientCaFile is { Length: > 0 } file ? File.GetLastWriteTimeUtc(file) : default);

    private static SslServerAuthenticationOptions Read(GatewayOptions settings)
    {
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(
                X509Certificate2.CreateFromPemFile(settings.TlsCertificateFile!, settings.TlsKeyFile), additionalCertificates: null, offline: true),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        if (settings.TlsClientCaFile is { Length: > 0 } file)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true,
            };
            policy.CustomTrustStore.ImportFromPemFile(file);
            policy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
            (options.ClientCertificateRequired, options.CertificateChainPolicy) = (true, policy);
        }

        return options;
    }

    [LoggerMessage(LogLevel.Information, "The TLS certificate in {File} was read anew")]
    private partial void LogRenewed(string? file);

    [LoggerMessage(LogLevel.Warning, "The TLS certificate in {File} has changed and cannot be read; the one from before is used: {Reason}")]
    private partial void LogNotRenewed(string? file, string reason);
}
