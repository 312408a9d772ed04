namespace Platform.Api.Callers;

/// <summary>How callers of the API show who they are.</summary>
public enum AuthenticationMode
{
    /// <summary>By a token of an issuer: a JWT in the header <c>Authorization</c> (<see href="https://www.rfc-editor.org/rfc/rfc6750"/>).</summary>
    Token,

    /// <summary>To a gateway in front of the API, which lets nobody else through; the API asks no more.</summary>
    Gateway,

    /// <summary>Not at all: callers on this machine are answered, others are not. In Development alone, where it is what happens without a setting.</summary>
    Open,
}
