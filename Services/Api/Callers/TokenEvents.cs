using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Microsoft.Net.Http.Headers;
using Platform.Api.Problems;

namespace Platform.Api.Callers;

/// <summary>
/// Finds out the caller of a token that is right, and answers for one that is not, in the API's own words: nothing of the token is in them.
/// </summary>
/// <remarks><see href="https://www.rfc-editor.org/rfc/rfc6750#section-3"/></remarks>
internal sealed class TokenEvents(IOptions<ApiOptions> options) : JwtBearerEvents
{
    private const string InvalidToken = "invalid_token";

    private static readonly SecurityTokenException s_unknownCaller = new("The token does not say who the caller is.");

    /// <inheritdoc/>
    public override Task TokenValidated(TokenValidatedContext context)
    {
        if (context.SecurityToken is JsonWebToken token && CallerClaims.Read(token, options.Value.Authentication) is { } caller)
        {
            context.HttpContext.Features.Set(caller);
        }
        else
        {
            context.Fail(s_unknownCaller);
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override async Task AuthenticationFailed(AuthenticationFailedContext context)
    {
        // Without the issuer's keys no token can be told from another, and who has a good one is not to throw it away.
        if (context.Options.ConfigurationManager is { } issuer && !await IsKnownAsync(issuer, context.HttpContext.RequestAborted))
        {
            context.HttpContext.Features.Set(new IssuerAway());
        }
    }

    /// <inheritdoc/>
    public override Task Challenge(JwtBearerChallengeContext context)
    {
        context.HandleResponse();
        var http = context.HttpContext;
        if (http.Features.Get<IssuerAway>() is not null)
        {
            return ApiProblem.Unavailable(http, "Tokens cannot be checked.", "Their issuer does not answer. Try again in a few seconds.").ExecuteAsync(http);
        }

        if (context.AuthenticateFailure is null)
        {
            http.Response.Headers.WWWAuthenticate = JwtBearerDefaults.AuthenticationScheme;
            return ApiProblem.Of(
                StatusCodes.Status401Unauthorized, "The request needs a token.",
                $"Send one for this API in the header {HeaderNames.Authorization}, as 'Bearer TOKEN'.").ExecuteAsync(http);
        }

        var reason = Reason(context.AuthenticateFailure);
        http.Response.Headers.WWWAuthenticate = $"{JwtBearerDefaults.AuthenticationScheme} error=\"{InvalidToken}\", error_description=\"{reason}\"";
        return ApiProblem.Of(StatusCodes.Status401Unauthorized, "The token is not accepted.", reason).ExecuteAsync(http);
    }

    /// <inheritdoc/>
    public override Task Forbidden(ForbiddenContext context)
    {
        var roles = context.HttpContext.GetEndpoint()?.Metadata.GetMetadata<EndpointRoles>()?.Names ?? [];
        context.Response.Headers.WWWAuthenticate = $"{JwtBearerDefaults.AuthenticationScheme} error=\"insufficient_scope\"";
        return ApiProblem.Of(
            StatusCodes.Status403Forbidden, "The caller may not do this.",
            roles.Count > 0 ? $"It is for the roles {string.Join(", ", roles)}." : null).ExecuteAsync(context.HttpContext);
    }

    // Sentences of ours, since those of the library say what is in the token.
    private static string Reason(Exception failure) => failure switch
    {
        SecurityTokenExpiredException => "The token has expired.",
        SecurityTokenNotYetValidException => "The token is not valid yet.",
        SecurityTokenInvalidAudienceException => "The token is for another audience.",
        SecurityTokenInvalidIssuerException => "The token is of another issuer.",
        SecurityTokenMalformedException => "The token is malformed.",
        _ when failure == s_unknownCaller => s_unknownCaller.Message,
        _ => "The token cannot be verified.",
    };

    private static async Task<bool> IsKnownAsync(
        Microsoft.IdentityModel.Protocols.IConfigurationManager<Microsoft.IdentityModel.Protocols.OpenIdConnect.OpenIdConnectConfiguration> issuer,
        CancellationToken cancellationToken)
    {
        try
        {
            // What is known is kept, and who is away is not asked at every request.
            await issuer.GetConfigurationAsync(cancellationToken);
            return true;
        }
        catch (Exception failure) when (failure is InvalidOperationException or IOException or HttpRequestException)
        {
            return false;
        }
    }

    private sealed class IssuerAway;
}
