using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;

namespace Platform.Backup.Policy;

/// <summary>Settings under <c>Backup:S3</c>: a bucket that has a copy of the repository. Without a bucket there is no copy.</summary>
internal sealed partial class S3Options
{
    /// <summary>The configuration section.</summary>
    public const string Section = $"{BackupOptions.Section}:S3";

    // More than any object of a repository: pgBackRest parts files into bundles and blocks.
    private const int MostMebibytes = 5 * 1024;

    /// <summary>The bucket; empty for no copy.</summary>
    public string Bucket { get; set; } = "";

    /// <summary>What the keys of the copy begin with, without slashes around it: one for each repository. Empty: the bucket has nothing else.</summary>
    public string Prefix { get; set; } = "";

    /// <summary>The region of the bucket, such as <c>eu-central-1</c>; with an endpoint it may be empty.</summary>
    public string Region { get; set; } = "";

    /// <summary>The URL of a server that speaks S3; empty for that of Amazon in the region.</summary>
    public string Endpoint { get; set; } = "";

    /// <summary>Whether the bucket stands in the path and not in the name of the host, as look-alikes often want it.</summary>
    public bool PathStyle { get; set; }

    /// <summary>The certificate authorities by which the endpoint is known, as a file in PEM form, in the place of those of the machine.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>The id of the access key; empty to find credentials as all programs of Amazon do: environment, profile, role of the machine.</summary>
    public string AccessKeyId { get; set; } = "";

    /// <summary>A file with the secret of that key and nothing else, which nobody but the user may read.</summary>
    public string SecretAccessKeyFile { get; set; } = "";

    /// <summary>How objects are locked: <c>governance</c> or <c>compliance</c>; empty for not at all.</summary>
    public string LockMode { get; set; } = "";

    /// <summary>For how many days each object is locked after it was sent.</summary>
    [Range(0, 36_500)]
    public int LockDays { get; set; }

    /// <summary>Larger objects are sent in parts of so many mebibytes. Default 16.</summary>
    [Range(5, MostMebibytes)]
    public int PartMebibytes { get; set; } = 16;

    /// <summary>For how long an object may wait to be copied before the agent is unhealthy. Default 15 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "30.00:00:00")]
    public TimeSpan MaxLag { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Whether there is a copy.</summary>
    internal bool IsOn => Bucket.Length > 0;

    /// <summary>Where the copy is, as sentences tell it.</summary>
    internal string Place => $"s3://{Bucket}/{Prefix}";

    /// <summary>What is wrong: one sentence for each setting.</summary>
    public IEnumerable<string> Mistakes()
    {
        var given = new (string Key, string Value)[]
        {
            (nameof(Prefix), Prefix), (nameof(Region), Region), (nameof(Endpoint), Endpoint), (nameof(CaFile), CaFile), (nameof(AccessKeyId), AccessKeyId),
            (nameof(SecretAccessKeyFile), SecretAccessKeyFile), (nameof(LockMode), LockMode),
        };
        return IsOn ? MistakesOfCopy()
            : given.Where(setting => setting.Value.Length > 0).Select(setting => $"{Section}:{setting.Key} is set, but {Section}:{nameof(Bucket)} is not.");
    }

    private IEnumerable<string> MistakesOfCopy()
    {
        if (!BucketPattern().IsMatch(Bucket))
        {
            yield return Mistake(nameof(Bucket), Bucket, "must be the name of a bucket: 3 to 63 small letters, digits, dots and hyphens");
        }

        if (!PrefixPattern().IsMatch(Prefix))
        {
            yield return Mistake(nameof(Prefix), Prefix, "must be names of letters, digits, '_', '.' and '-', with a slash between two of them");
        }

        if (!RegionPattern().IsMatch(Region) || (Region.Length == 0 && Endpoint.Length == 0))
        {
            yield return Mistake(nameof(Region), Region, "must be the region of the bucket, such as eu-central-1");
        }

        if (Endpoint.Length > 0 && !IsEndpoint(Endpoint))
        {
            // Not what it is: somebody may have written a password into it.
            yield return $"{Section}:{nameof(Endpoint)} must be a URL of a host alone that begins with https:// (http:// for this machine).";
        }

        if (CaFile.Length > 0 && WhyUnusable(CaFile) is { } reason)
        {
            yield return Mistake(nameof(CaFile), CaFile, $"must be a file of certificate authorities: {reason}");
        }

        if ((AccessKeyId.Length > 0) != (SecretAccessKeyFile.Length > 0))
        {
            yield return $"{Section}:{nameof(AccessKeyId)} and {Section}:{nameof(SecretAccessKeyFile)} go together: one is set and the other is not.";
        }
        else if (SecretAccessKeyFile.Length > 0 && WhyNoSecret(SecretAccessKeyFile) is { } fault)
        {
            yield return Mistake(nameof(SecretAccessKeyFile), SecretAccessKeyFile, fault);
        }

        if (LockMode is not ("" or "governance" or "compliance"))
        {
            yield return Mistake(nameof(LockMode), LockMode, "must be governance or compliance, or empty for no lock");
        }
        else if ((LockMode.Length > 0) != (LockDays > 0))
        {
            yield return $"{Section}:{nameof(LockMode)} and {Section}:{nameof(LockDays)} go together: one is set and the other is not.";
        }
    }

    private static string Mistake(string key, string value, string rule) => SettingLimits.Mistake(Section, key, value, rule);

    private static bool IsEndpoint(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.PathAndQuery == "/" && url.Fragment.Length == 0
        && url.UserInfo.Length == 0 && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback));

    private static string? WhyUnusable(string file)
    {
        try
        {
            TrustedAuthority.FromFile(file);
            return null;
        }
        catch (InvalidDataException e)
        {
            return e.Message.TrimEnd('.');
        }
    }

    private static string? WhyNoSecret(string file)
    {
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        try
        {
            return !File.Exists(file) ? "must be a file that exists"
                : !OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & others) != 0 ? "must be a file that nobody but its owner may read (chmod 600)"
                : File.ReadAllText(file).Trim().Length == 0 ? "must be a file with the secret of the key"
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"must be a file that can be read: {e.Message.TrimEnd('.')}";
        }
    }

    [GeneratedRegex(@"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\z")]
    private static partial Regex BucketPattern();

    [GeneratedRegex(@"^(?!.*(^|/)\.{1,2}(/|\z))([A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*)?\z")]
    private static partial Regex PrefixPattern();

    [GeneratedRegex(@"^[a-z0-9-]*\z")]
    private static partial Regex RegionPattern();
}
