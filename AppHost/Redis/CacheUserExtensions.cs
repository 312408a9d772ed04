using Platform.AppHost.Security;
using Platform.Hosting.Security;

namespace Platform.AppHost.Redis;

internal static class CacheUserExtensions
{
    /// <summary>
    /// Refers to the cache as <c>WithReference</c> does, and logs in as a user of its own, whom every engine has that runs a Redis; where it is
    /// somebody else's, as whoever its connection string names.
    /// </summary>
    /// <param name="service">The program.</param>
    /// <param name="cache">The cache.</param>
    /// <param name="user">One of <see cref="CacheLogin.Users"/>.</param>
    public static IResourceBuilder<T> WithCache<T>(
        this IResourceBuilder<T> service, IResourceBuilder<IResourceWithConnectionString> cache, string user = CacheLogin.Api)
        where T : IResourceWithEnvironment
    {
        service.WithReference(cache);
        if (cache.Resource.Encryption() is { } encrypted)
        {
            service.WithEnvironment(SettingNames.CacheTlsCaFile, encrypted.Certificate.CaFile);
        }

        return cache.Resource.TryGetLastAnnotation<CacheLogin>(out var login)
            ? service.WithEnvironment($"ConnectionStrings__{cache.Resource.Name}", login.ConnectionStrings[user])
                .WithPasswordFile(SettingNames.CachePasswordFile, login.Passwords[user])
            : service;
    }
}
