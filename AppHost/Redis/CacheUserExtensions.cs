namespace Platform.AppHost.Redis;

internal static class CacheUserExtensions
{
    /// <summary>
    /// Refers to the cache as <c>WithReference</c> does, and logs in as the user of the API where the engine has one; elsewhere as whoever the cache's own
    /// connection string names.
    /// </summary>
    public static IResourceBuilder<T> WithCache<T>(this IResourceBuilder<T> service, IResourceBuilder<IResourceWithConnectionString> cache)
        where T : IResourceWithEnvironment
    {
        service.WithReference(cache);
        return cache.Resource is RedisServerResource redis
            ? service.WithEnvironment($"ConnectionStrings__{cache.Resource.Name}", redis.ApiConnectionString)
            : service;
    }
}
