using System.ComponentModel.DataAnnotations;

namespace Platform.Caching.Catalogue;

/// <summary>How all caches behave. Configuration section <c>Cache</c>. What differs from kind to kind is in <see cref="CacheCatalogue"/>.</summary>
public sealed class CacheOptions
{
    /// <summary>The configuration section that these options are bound to.</summary>
    public const string Section = "Cache";

    /// <summary>
    /// By which part of its life an entry may live longer or shorter, so that entries written together do not expire together. Default: 0.1.
    /// </summary>
    [Range(0.0, 0.5)]
    public double Jitter { get; set; } = 0.1;

    /// <summary>How long a request waits for Redis before it goes to the database. Default: 250 milliseconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long Redis is left alone when it fails or stands still, before one request tries it again. Default: 1 second.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "01:00:00")]
    public TimeSpan Rest { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A file with the certificate authorities, in PEM form, that alone are trusted to sign Redis's certificate, where the connection string has
    /// <c>ssl=true</c>. Default: none, and those of the machine are.
    /// </summary>
    public string TlsCaFile { get; set; } = "";

    /// <summary>
    /// A file with the passwords of the connection string's user, one on each line, of which the first is read for each new connection, so that a password
    /// can be replaced while the service runs. Wins over the connection string's password. Default: none.
    /// </summary>
    public string PasswordFile { get; set; } = "";

    /// <summary>Whether what the catalogue says is loaded after a start and after a flush. Default: true.</summary>
    public bool Warming { get; set; } = true;
}
