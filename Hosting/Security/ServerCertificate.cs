namespace Platform.Hosting.Security;

/// <summary>The certificate of a server of the stack.</summary>
/// <param name="File">The file with the certificate and its private key, in PEM form.</param>
/// <param name="Directory">The directory with that file and with the authority's certificate, and nothing else: a server is given it as a whole.</param>
/// <param name="CaFile">The file by which clients know the server.</param>
/// <param name="Expires">Until when it can be used.</param>
public sealed record ServerCertificate(string File, string Directory, string CaFile, DateTimeOffset Expires);
