using Platform.AppHost.Security;

namespace Platform.AppHost.Redis;

internal static class CacheUserExtensions
{
    /// <summary>
    /// Refers to the cache as <c>WithReference</c> does, and logs in as the user of the services, which every engine has that runs a Redis; where it is
    /// somebody else's, as whoever its connection string names.
    /// </summary>
    public static IResourceBuilder<T> WithCache<T>(this IResourceBuilder<T> service, IResourceBuilder<IResourceWithConnectionString> cache)
        where T : IResourceWithEnvironment
    {
        service.WithReference(cache);
        if (cache.Resource.Encryption() is { } encrypted)
        {
            service.WithEnvironment(SettingNames.CacheTlsCaFile, encrypted.Certificate.CaFile);
        }

        return cache.Resource.TryGetLastAnnotation<CacheLogin>(out var login)
            ? service.WithEnvironment($"ConnectionStrings__{cache.Resource.Name}", login.ConnectionString)
            : service;
    }
}
