namespace Platform.AppHost.Redis;

/// <summary>The Redis container image; an upgrade changes this file alone.</summary>
/// <remarks>
/// The digest is that of the image for all platforms (8.6.4), as the publisher lists it:
/// <see href="https://github.com/docker-library/repo-info/blob/master/repos/redis/remote/8.6.md"/>
/// </remarks>
internal static class RedisImage
{
    /// <summary>The user of the image, and the group, as whom the server runs.</summary>
    public const int User = 999;

    /// <summary>The port on which it listens.</summary>
    public const int Port = 6379;

    /// <summary>What is run: a tag can be given to another image, a digest cannot.</summary>
    public const string Digest = "a051e4f48a5d0ceda6554974f3ad0f5369f4479197f36829332c1325cecad2b7";
}
