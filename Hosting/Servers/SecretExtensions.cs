namespace Platform.Hosting.Servers;

public static class SecretExtensions
{
    /// <summary>
    /// Adds a secret of letters and digits that is generated once and kept in the developer's user secrets.
    /// </summary>
    public static IResourceBuilder<ParameterResource> AddGeneratedSecret(
        this IDistributedApplicationBuilder builder, string name, int length)
        => builder.AddParameter(
            name, new GenerateParameterDefault { MinLength = length, Special = false }, secret: true, persist: true);
}
