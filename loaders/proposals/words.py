"""What headers are called, in several languages: the words by which a column's role is told from its name."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["is_named", "known_words", "personal_word", "rank", "words_of"]

# For each role the phrases that name it, the most telling first. A phrase stands for its words in a row anywhere in a
# header, or for all of a header when written with `=`. English, German, French, Spanish, Dutch, Portuguese, Swedish.
_PHRASES = {
    "recorded": (
        "recorded, reported, rptd, rpt, report date, date of call, registered, created, creation, logged, entered, "
        "received, call date, call time, open date, opened, angelegt, erfasst, erfassungsdatum, gemeldet, meldedatum, "
        "anzeigedatum, enregistrement, enregistre, plainte, signalement, depot, denuncia, registro, reporte, registrado, "
        "melding, aangifte, registratie, registo, comunicacao, participacao, anmald, anmalan, registrerad, recording, log "
        "date, date logged, report, notified"
    ),
    "occurred": (
        "occurred, occurrence, occ, committed, offence date, offense date, incident date, event date, date of offence, "
        "crime date, happened, tatzeit, tatdatum, tattag, ereignis, hecho, hechos, ocurrencia, ocurrido, ocorrencia, "
        "faits, date du fait, commission, pleegdatum, gepleegd, brottsdatum, brott datum, handelsedatum, incident, "
        "offence, offense"
    ),
    "from": (
        "from, fr, start, started, begin, beginning, earliest, first, von, ab, beginn, anfang, debut, desde, inicio, "
        "vanaf, van, aanvang, fra, fran, inicial"
    ),
    "to": (
        "to, end, ended, until, latest, last, thru, through, bis, ende, fin, au, hasta, fim, tot, eind, einde, till, "
        "slut, final"
    ),
    "updated": (
        "updated, update, modified, changed, amended, edited, last change, lastmodified, aktualisiert, geandert, maj, "
        "mise a jour, modification, actualizacion, modificacion, gewijzigd, wijziging, atualizacao, andrad, uppdaterad"
    ),
    "date": (
        "=date, =datum, =fecha, =data, =when, date, dat, dt, datetime, timestamp, datum, fecha, data, jour, =day, =tag, "
        "dag, zeitpunkt, tidpunkt, when, =month, =monat, =mois, =mes, =maand, =period, =month year"
    ),
    "time": ("time, tm, uhrzeit, zeit, heure, hora, uur, tijd, tid, klokslag, stunde"),
    "year": ("year, yr, yyyy, jahr, annee, =an, ano, anio, jaar, ar"),
    "month": ("month, mon, mm, monat, mois, mes, maand, manad"),
    "day": ("day, dd, tag, jour, dia, dag"),
    "hour": ("hour, hr, hh, stunde, heure, hora, uur, timme"),
    "minute": ("minute, min, mi, minuto, minuut, minut"),
    "lon": (
        "longitude, lon, lng, long, longitud, lang, laenge, langengrad, laengengrad, lengtegraad, geo lon, gps lon, =lo, "
        "gpslon, xlong, longitud decimal"
    ),
    "lat": ("latitude, lat, latitud, breite, breitengrad, breedtegraad, geo lat, gps lat, =la, gpslat, ylat, latitud decimal"),
    "east": (
        "easting, eastings, east, =e, osgb e, bng e, grid e, rechtswert, ostwert, osting, este, utm e, utm x, utmx, x "
        "utm, xutm, x coord, xcoord, x coordinate, x koord, xkoord, coord x, coordx, coordenada x, coordonnee x, point x, "
        "pointx, geo x, geox, =x, x wgs84, x coordinaat, x, =east m"
    ),
    "north": (
        "northing, northings, north, =n, osgb n, bng n, grid n, hochwert, nordwert, nording, norte, utm n, utm y, utmy, y "
        "utm, yutm, y coord, ycoord, y coordinate, y koord, ykoord, coord y, coordy, coordenada y, coordonnee y, point y, "
        "pointy, geo y, geoy, =y, y wgs84, y coordinaat, y, =north m"
    ),
    "reference": (
        "crime number, crime no, crime id, crime ref, crime reference, incident number, incident no, incident id, "
        "incident ref, incident reference, case number, case no, caseid, case id, complaint number, cmplnt num, report "
        "number, report no, dr no, event number, event id, event unique id, log number, log no, log ref, urn, reference "
        "number, reference, ref no, refno, =ref, =crn, =id, aktenzeichen, vorgangsnummer, fallnummer, numero, num, "
        "nummer, diarienummer, folio, expediente, carpeta, zaaknummer, registratienummer, identifiant, identificador, "
        "processo, offence number, occurrence number, occurrence no, number, =no, =nr, =case, =ccn, ref, uid, uuid, guid, "
        "objectid, fid, id"
    ),
    "crime_type": (
        "crime type, offence type, offense type, incident type, event type, primary type, final call type, call type, "
        "crime category, offence category, offense category, mci category, incident category, incident group, offence "
        "group, category of crime, text general code, ofns desc, crm cd desc, =offence, =offense, =crime, offence "
        "description, offense description, offence desc, crime description, incident description, offence, offense, "
        "opening type, closing type, delikt, deliktart, deliktsgruppe, straftat, tatbestand, deliktbezeichnung, "
        "einsatzart, ereignisart, type de fait, type d infraction, infraction, nature de l infraction, categorie, "
        "indicateur, =faits, delito, tipo de delito, categoria delito, soort misdrijf, misdrijf, delict, tipo de crime, "
        "natureza, rubrica, brottstyp, brott, brottskod, handelsetyp, nature of call, nature, problem, =type, =typ, "
        "=tipo, =category, =kategorie, =categoria, =soort, =what, =kind, =classification, =art, crime, classification, "
        "category, type, =group, tipo, soort"
    ),
    "code": (
        "home office code, ho code, hocode, offence code, nicl code, nicl, nsir code, nsir, closing code, opening code, "
        "opening closing code, ho offence code, ho class"
    ),
    "location": (
        "=location, street, street name, hundred block, =block, block address, address, location, place, premises "
        "address, strasse, tatort, =ort, adresse, rue, voie, lieu, calle, direccion, straat, straatnaam, rua, morada, "
        "logradouro, gata, adress, gatuadress, site, intersection"
    ),
    "lsoa": ("lsoa code, lsoa, lsoa11, lsoa21, lsoa11cd, lsoa21cd, lower super output area"),
    "outcome": (
        "outcome, outcome type, last outcome category, disposal, disposition, result, clearance, ucr clear, aufgeklart, "
        "resolution"
    ),
    "status": ("status, state"),
    "source": ("reported by, source, agency, force, force name, police force, supplier, reporting agency, organisation"),
}

_PERSONAL = (
    "forename, surname, first name, firstname, last name, lastname, full name, victim, vict, suspect, susp, offender, "
    "complainant, caller, informant, aggrieved, witness, officer, oic, collar, driver, dob, birth, born, geburt, "
    "geburtsdatum, nacimiento, naissance, geboorte, nascimento, phone, telephone, tel, mobile, telefon, email, mail, "
    "nhs, passport, age, sex, gender, race, ethnicity, nationality, nombre, apellido, vorname, nachname, naam, "
    "narrative, notes, note, remark, remarks, comment, comments, summary, synopsis, modus operandi, =mo, free text, "
    "freetext, bemerkung, observaciones, observacoes, commentaire, opmerking, beskrivning, details, log text, "
    "narrativa, relato, opfer, tater, victima, victime, edad, sexo, alter, geschlecht"
)
# What has a name and is no person.
_NAMED_THINGS = {
    *(
        "ward",
        "street",
        "area",
        "station",
        "neighbourhood",
        "neighborhood",
        "hood",
        "force",
        "district",
        "lsoa",
        "msoa",
        "type",
    ),
    *("beat", "sector", "borough", "boro", "region", "county", "city", "division", "parish", "council", "zone", "precinct"),
    *("crime", "offence", "offense", "incident", "road", "place", "agency", "community"),
}

_VOCABULARY = {word for phrases in _PHRASES.values() for phrase in phrases.split(", ") for word in phrase.lstrip("=").split()}
_SHORT_ENDS = {"id", "no", "dt", "tm"}


def words_of(header: str) -> tuple[str, ...]:
    """The words of a header: small letters without accents, split at capitals, signs and spaces."""
    plain = unicodedata.normalize("NFKD", header.replace("ß", "ss"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)
    return tuple(part for word in re.findall(r"[^\W_]+", plain.lower()) for part in _parts(word))


def _parts(word: str) -> tuple[str, ...]:
    """The two known words that are written as one: `dateoccurred`, `crimetype`."""
    if word not in _VOCABULARY:
        for at in range(3, len(word) - 1):
            first, second = word[:at], word[at:]
            if first in _VOCABULARY and second in _VOCABULARY and (len(second) > 2 or second in _SHORT_ENDS):
                return first, second
    return (word,)


def rank(words: tuple[str, ...], role: str) -> int | None:
    """How well the words of a header name a role: 0 is best, None not at all."""
    return _rank(words, _PHRASES[role])


def is_named(words: tuple[str, ...], *roles: str) -> bool:
    """Whether the words of a header name one of the roles."""
    return any(rank(words, role) is not None for role in roles)


def known_words(words: tuple[str, ...]) -> bool:
    """Whether a header says anything that is known here."""
    return is_named(words, *_PHRASES)


def personal_word(words: tuple[str, ...]) -> bool:
    """Whether a header speaks of a person, or of text that somebody wrote."""
    if "repeat" in words:
        return False
    if _rank(words, _PERSONAL) is not None:
        return True
    return "name" in words and not _NAMED_THINGS.intersection(words)


def _rank(words: tuple[str, ...], phrases: str) -> int | None:
    joined = "".join(words)
    best = None
    for at, phrase in enumerate(phrases.split(", ")):
        wanted = tuple(phrase.removeprefix("=").split())
        whole = words == wanted or joined == "".join(wanted)
        part = not phrase.startswith("=") and any(
            words[i : i + len(wanted)] == wanted for i in range(len(words) - len(wanted) + 1)
        )
        if whole or part:
            # A header that says this and nothing else says it best.
            score = at * 2 + (0 if whole else 1)
            best = score if best is None else min(best, score)
    return best
