using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace Platform.Api.Callers;

/// <summary>
/// The public keys of an issuer in a file, as a JSON Web Key Set. A file that was changed is read again; when it cannot be used, the keys of before go on
/// being used and the log says so. Thread-safe.
/// </summary>
internal sealed partial class KeyFile
{
    // RSA keys that are shorter have not been thought safe since 2014: NIST SP 800-131A.
    private const int MinRsaBits = 2048;

    // Nobody has more keys than some few.
    private const int MaxBytes = 256 * 1024;

    private static readonly TimeSpan s_lookAfter = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private volatile Dictionary<string, SecurityKey> _keys;
    private DateTime _written;
    private long _looked;

    /// <summary>Reads the file.</summary>
    /// <exception cref="InvalidDataException">It cannot be used; the message is a sentence.</exception>
    public KeyFile(string path, TimeProvider time, ILogger<KeyFile> logger)
    {
        (_path, _time, _logger) = (path, time, logger);
        _written = File.GetLastWriteTimeUtc(path);
        _looked = time.GetTimestamp();
        _keys = Read(path);
    }

    /// <summary>What is wrong with a file, as a sentence; null when it can be used.</summary>
    /// <param name="path">The file.</param>
    public static string? Mistake(string path)
    {
        try
        {
            Read(path);
            return null;
        }
        catch (InvalidDataException mistake)
        {
            return mistake.Message;
        }
    }

    /// <summary>The key of a name; null when there is none.</summary>
    /// <param name="name">The name (<c>kid</c>), which whoever made the token chose: it is looked up here and nowhere else.</param>
    public SecurityKey? Find(string? name)
    {
        LookForChanges();
        return name is not null && _keys.TryGetValue(name, out var key) ? key : null;
    }

    private void LookForChanges()
    {
        if (_time.GetElapsedTime(Volatile.Read(ref _looked)) < s_lookAfter)
        {
            return;
        }

        lock (_lock)
        {
            if (_time.GetElapsedTime(_looked) < s_lookAfter)
            {
                return;
            }

            Volatile.Write(ref _looked, _time.GetTimestamp());
            var written = File.GetLastWriteTimeUtc(_path);
            if (written == _written)
            {
                return;
            }

            // Also when it is no good: it is told once.
            _written = written;
            try
            {
                _keys = Read(_path);
                Changed(_logger, _path, _keys.Count);
            }
            catch (InvalidDataException mistake)
            {
                Unusable(_logger, mistake.Message);
            }
        }
    }

    private static Dictionary<string, SecurityKey> Read(string path)
    {
        var keys = new Dictionary<string, SecurityKey>(StringComparer.Ordinal);
        foreach (var key in Parse(path))
        {
            if (string.IsNullOrEmpty(key.Kid))
            {
                throw new InvalidDataException($"a key of {path} has no name (kid).");
            }

            if (MistakeOf(key) is { } mistake)
            {
                throw new InvalidDataException($"the key {key.Kid} of {path} {mistake}.");
            }

            if (!keys.TryAdd(key.Kid, key))
            {
                throw new InvalidDataException($"{path} has two keys of the name {key.Kid}.");
            }
        }

        return keys.Count > 0 ? keys : throw new InvalidDataException($"{path} has no keys.");
    }

    private static IList<JsonWebKey> Parse(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MaxBytes)
            {
                throw new InvalidDataException($"{path} is larger than {MaxBytes / 1024} KiB, which no key set is.");
            }

            return new JsonWebKeySet(File.ReadAllText(path)).Keys;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{path} cannot be read.", failure);
        }
        catch (Exception failure) when (failure is JsonException or ArgumentException or FormatException)
        {
            // The library's sentence would show what is in it.
            throw new InvalidDataException($"{path} is not a JSON Web Key Set.", failure);
        }
    }

    // A secret that both sides know would let everybody who can check tokens make them, and the API should not hold what it does not need.
    private static string? MistakeOf(JsonWebKey key) => key switch
    {
        { Kty: not (JsonWebAlgorithmsKeyTypes.RSA or JsonWebAlgorithmsKeyTypes.EllipticCurve) } => "is neither of RSA nor of an elliptic curve",
        { D: not (null or "") } => "is a private one; the API needs the public half alone",
        { Use: not (null or "" or JsonWebKeyUseNames.Sig) } => "is not for signatures (use)",
        _ when key.Kty == JsonWebAlgorithmsKeyTypes.RSA && key.KeySize < MinRsaBits => $"has less than {MinRsaBits} bits",
        _ when key.Kty == JsonWebAlgorithmsKeyTypes.EllipticCurve && key.Crv is not ("P-256" or "P-384" or "P-521") =>
            "is of none of the curves P-256, P-384 and P-521",
        _ => IsUsable(key) ? null : "cannot be used: its numbers are no key's",
    };

    private static bool IsUsable(JsonWebKey key)
    {
        var factory = CryptoProviderFactory.Default;
        try
        {
            var provider = factory.CreateForVerifying(key, key.Crv switch
            {
                "P-256" => SecurityAlgorithms.EcdsaSha256,
                "P-384" => SecurityAlgorithms.EcdsaSha384,
                "P-521" => SecurityAlgorithms.EcdsaSha512,
                _ => SecurityAlgorithms.RsaSha256,
            });
            // The numbers are looked at when a signature is; this one is wrong with every key.
            provider.Verify([0], new byte[64]);
            factory.ReleaseSignatureProvider(provider);
            return true;
        }
        catch (Exception failure) when (
            failure is InvalidOperationException or NotSupportedException or ArgumentException or FormatException or CryptographicException)
        {
            return false;
        }
    }

    [LoggerMessage(1, LogLevel.Information, "{Path} was changed: tokens are checked with its {Count} keys")]
    private static partial void Changed(ILogger logger, string path, int count);

    [LoggerMessage(2, LogLevel.Error, "Tokens are checked with the keys of before: {Mistake}")]
    private static partial void Unusable(ILogger logger, string mistake);
}
