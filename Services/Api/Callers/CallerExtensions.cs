using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Platform.Api.Problems;
using Platform.ServiceDefaults;

namespace Platform.Api.Callers;

/// <summary>Who may call the API.</summary>
internal static partial class CallerExtensions
{
    /// <summary>The parameter of paths that names a tenant.</summary>
    public const string TenantParameter = "tenant";

    // Kestrel takes 32 KiB of headers, and no issuer's tokens are half as long.
    private const int MaxTokenBytes = 16 * 1024;

    private static readonly TimeSpan s_issuerTimeout = TimeSpan.FromSeconds(5);

    // Signatures that only the issuer can make. With HMAC whoever checks tokens can make them, and "none" is none.
    private static readonly string[] s_algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    /// <summary>Reads the settings, and what checks tokens when they say that callers have such.</summary>
    public static void AddCallers(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<ApiOptions>()
            .BindSettings(ApiOptions.Section)
            .ValidateLimits(ApiOptions.Section);
        builder.Services.AddSingleton<IValidateOptions<ApiOptions>, ApiOptionsValidator>();
        if (!HasTokens(builder))
        {
            return;
        }

        builder.Services.AddSingleton<KeyFile>(services => ActivatorUtilities.CreateInstance<KeyFile>(services, SettingsOf(services).KeysFile!));
        builder.Services.AddSingleton<TokenEvents>();
        builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer();
        builder.Services.AddOptions<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme).Configure<IServiceProvider>(Configure);
        builder.Services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().AddRequirements(new RoleRequirement()).Build());
    }

    /// <summary>Finds out who calls; before what limits callers.</summary>
    public static void UseCallers(this WebApplication app)
    {
        app.UseAllowedAddresses();
        switch (SettingsOf(app.Services).ModeIn(app.Environment))
        {
            case AuthenticationMode.Token:
                // Reads the keys: the start tells what is wrong with them, not the first caller.
                app.Services.GetRequiredService<IOptionsMonitor<JwtBearerOptions>>().Get(JwtBearerDefaults.AuthenticationScheme);
                app.UseAuthentication();
                break;
            case AuthenticationMode.Open:
                OpenHere(app.Logger, AuthenticationSettings.Section);
                app.Use(OnlyFromHere);
                break;
        }
    }

    /// <summary>Lets in those who may do what they ask for; after what limits callers.</summary>
    public static void UseRoles(this WebApplication app)
    {
        if (SettingsOf(app.Services).ModeIn(app.Environment) == AuthenticationMode.Token)
        {
            app.UseAuthorization();
        }
    }

    /// <summary>Whether callers show who they are by tokens.</summary>
    public static bool HaveTokens(this IServiceProvider services) =>
        SettingsOf(services).ModeIn(services.GetRequiredService<IHostEnvironment>()) == AuthenticationMode.Token;

    /// <summary>Names the roles that an endpoint lets in; one of them is enough.</summary>
    public static TBuilder For<TBuilder>(this TBuilder endpoint, params string[] roles)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new EndpointRoles(roles));

    private static AuthenticationSettings SettingsOf(IServiceProvider services) => services.GetRequiredService<IOptions<ApiOptions>>().Value.Authentication;

    // Before the settings are checked: what is wrong with them is told then.
    private static bool HasTokens(WebApplicationBuilder builder)
    {
        var section = builder.Configuration.GetSection(AuthenticationSettings.Section);
        var settings = new AuthenticationSettings
        {
            Mode = Enum.TryParse<AuthenticationMode>(section[nameof(AuthenticationSettings.Mode)], out var mode) ? mode : null,
            Authority = section[nameof(AuthenticationSettings.Authority)],
            KeysFile = section[nameof(AuthenticationSettings.KeysFile)],
        };
        return settings.ModeIn(builder.Environment) == AuthenticationMode.Token;
    }

    private static void Configure(JwtBearerOptions bearer, IServiceProvider services)
    {
        var settings = SettingsOf(services);
        // In place of all that the framework would read from a section of its own.
        (bearer.Authority, bearer.MetadataAddress, bearer.Configuration, bearer.ConfigurationManager) = (null, null!, null, null);
        bearer.TokenValidationParameters = new TokenValidationParameters
        {
            ValidAlgorithms = s_algorithms,
            ValidAudience = settings.Audience,
            ValidIssuer = string.IsNullOrWhiteSpace(settings.Issuer) ? null : settings.Issuer,
            ClockSkew = settings.ClockSkew,
            NameClaimType = JwtRegisteredClaimNames.Sub,
            RoleClaimType = settings.RolesClaim,
            // A token names its key: else every key would be tried on whatever somebody sends.
            TryAllIssuerSigningKeys = false,
        };
        bearer.TokenHandlers.Clear();
        bearer.TokenHandlers.Add(new JsonWebTokenHandler { MapInboundClaims = false, MaximumTokenSizeInBytes = MaxTokenBytes });
        bearer.EventsType = typeof(TokenEvents);
        bearer.SaveToken = false;
        if (string.IsNullOrWhiteSpace(settings.KeysFile))
        {
            bearer.Authority = settings.Authority;
            bearer.RequireHttpsMetadata = settings.Authority!.StartsWith(Uri.UriSchemeHttps, StringComparison.OrdinalIgnoreCase);
            bearer.BackchannelTimeout = s_issuerTimeout;
        }
        else
        {
            var keys = services.GetRequiredService<KeyFile>();
            bearer.TokenValidationParameters.IssuerSigningKeyResolver = (_, _, kid, _) => keys.Find(kid) is { } key ? [key] : [];
        }
    }

    // By the connection's address, which a header cannot forge as long as there is no proxy.
    private static Task OnlyFromHere(HttpContext http, RequestDelegate next) =>
        LoopbackOnly.IsFromHere(http) || http.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null
            ? next(http)
            : ApiProblem.Of(
                StatusCodes.Status403Forbidden, "Callers on other machines are not answered.",
                $"The API asks nobody who it is, since {AuthenticationSettings.Section} is not set.").ExecuteAsync(http);

    [LoggerMessage(1, LogLevel.Warning, "Everybody on this machine may call the API, since {Setting} is not set; callers on other machines are refused")]
    private static partial void OpenHere(ILogger logger, string setting);
}
