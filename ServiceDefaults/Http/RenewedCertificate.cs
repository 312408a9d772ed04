using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Platform.ServiceDefaults.Http;

/// <summary>
/// The certificate that a server shows, of PEM files that are read again when they were written anew: a certificate is renewed long before it expires, and
/// the server goes on. Thread-safe.
/// </summary>
/// <param name="file">The file with the certificate.</param>
/// <param name="keyFile">The file with its key; may be the same.</param>
/// <param name="time">Decides when to look: once a second at most.</param>
/// <param name="logger">Where it is told that the files cannot be read.</param>
public sealed partial class RenewedCertificate(string file, string keyFile, TimeProvider time, ILogger<RenewedCertificate> logger)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private X509Certificate2? _current;
    private DateTime _written;
    private long _looked;

    /// <summary>The certificate of now. One that cannot be read, such as a file that is being written, leaves the one before.</summary>
    /// <exception cref="IOException">There was none before.</exception>
    /// <exception cref="CryptographicException">There was none before, and the files have none.</exception>
    public X509Certificate2 Current()
    {
        lock (_gate)
        {
            if (_current is not null && time.GetElapsedTime(_looked) < s_interval)
            {
                return _current;
            }

            try
            {
                var written = File.GetLastWriteTimeUtc(file);
                if (_current is null || written != _written)
                {
                    // The one before is not disposed of: connections are being made with it.
                    _current = X509Certificate2.CreateFromPemFile(file, keyFile);
                    _written = written;
                }
            }
            catch (Exception exception) when (_current is not null && exception is IOException or UnauthorizedAccessException or CryptographicException)
            {
                NotRead(logger, file, exception.Message);
            }

            _looked = time.GetTimestamp();
            return _current!;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The certificate {File} cannot be read ({Reason}); the one before is shown")]
    private static partial void NotRead(ILogger logger, string file, string reason);
}
